using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Dti.Server.Telemetry;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Grpc.Core;

namespace Dti.Server.Tests;

/// <summary>Instruments and spans belong to the process, so these tests run with no other beside them.</summary>
[Collection(nameof(WholeProcess))]
public class TelemetryTests
{
    [Fact]
    public async Task Metrics_TrainingAndRefusals_AreOnThePage()
    {
        await using var server = TestServer.Start(options => options with { MetricsPort = 0, WebPort = 0 });
        var before = await MetricsAsync(server);

        await server.TrainAsync(TestServer.Request("metered", steps: 3));
        await server.PictureAsync(TestServer.Draw("a dog"));
        await Refusal.Of(() => server.TrainAsync(TestServer.Request("metered", steps: -1)), StatusCode.InvalidArgument);
        await Refusal.Of(() => server.TrainAsync(TestServer.Request("metered")), StatusCode.AlreadyExists);

        var after = await MetricsAsync(server);
        Assert.Equal(3, Gained("dti_step_duration_seconds_count", "dti_job_kind=\"train\""));
        Assert.Equal(2, Gained("dti_step_duration_seconds_count", "dti_job_kind=\"generate\""));
        Assert.Equal(
            1,
            Gained("dti_job_duration_seconds_count", "dti_job_kind=\"train\"", "dti_job_state=\"succeeded\"")
        );
        Assert.Equal(1, Gained("dti_job_wait_duration_seconds_count", "dti_job_kind=\"generate\""));
        Assert.Equal(0, Gained("dti_jobs_waiting", "dti_job_kind=\"train\""));
        Assert.Equal(0, Gained("dti_jobs_running", "dti_job_kind=\"train\""));
        Assert.Equal(3, after.Single(line => Is(line.Key, "dti_training_step")).Value);
        Assert.InRange(after.Single(line => Is(line.Key, "dti_training_loss")).Value, 1e-3, 10);
        Assert.Equal(1, Gained("dti_model_cache_requests_total", "dti_result=\"miss\""));
        Assert.Equal(1, Gained("dti_model_cache_requests_total", "dti_result=\"hit\""));
        Assert.InRange(Gained("dti_model_cache_size_bytes"), 1_300_000, 1_500_000);
        Assert.Equal(
            1,
            Gained("dti_rejections_total", "dti_reason=\"INVALID_ARGUMENT\"", "rpc_grpc_status_code=\"3\"")
        );
        Assert.Equal(1, Gained("dti_rejections_total", "dti_reason=\"CONCEPT_EXISTS\""));

        double Gained(string name, params string[] tags) => Sum(after, name, tags) - Sum(before, name, tags);
    }

    [Fact]
    public async Task Metrics_OtherPorts_DoNotShowThemAndTheirsShowsNothingElse()
    {
        await using var server = TestServer.Start(options => options with { MetricsPort = 0, WebPort = 0 });
        using var http = new HttpClient();
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri(server.WebAddress!, "metrics"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(server.WebAddress!, "v1/models"))).StatusCode);
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await http.GetAsync(new Uri(server.MetricsAddress!, "v1/models"))).StatusCode
        );
    }

    [Fact]
    public async Task Metrics_Unasked_HaveNoPort()
    {
        await using var server = TestServer.Start();
        Assert.Null(server.MetricsAddress);
    }

    [Fact]
    public async Task Metrics_ModelThatMakesRoom_IsAnEviction()
    {
        await using var server = TestServer.Start(options =>
            options with
            {
                MetricsPort = 0,
                ModelFolders = [Path.Combine(Fixtures.Root, "tiny-sd15"), Path.Combine(Fixtures.Root, "tiny-sd21")],
                ModelMemoryBytes = 2_000_000,
            }
        );
        var before = Sum(await MetricsAsync(server), "dti_model_cache_evictions_total");
        foreach (var model in new[] { "tiny-sd15", "tiny-sd21" })
        {
            var draw = TestServer.Draw("a dog");
            draw.Model = model;
            await server.PictureAsync(draw);
        }

        Assert.Equal(1, Sum(await MetricsAsync(server), "dti_model_cache_evictions_total") - before);
    }

    [Fact]
    public async Task Traces_Training_HaveTheJobBelowItsCallAndThePhasesBelowTheJob()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is DtiMetrics.Name or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using (var server = TestServer.Start())
        {
            await server.TrainAsync(TestServer.Request("traced"));
        }

        var call = spans.First(span =>
            span.Source.Name == "Microsoft.AspNetCore" && spans.Any(other => other.ParentSpanId == span.SpanId)
        );
        var job = Assert.Single(spans, span => span.OperationName == "job train");
        Assert.Equal(call.SpanId, job.ParentSpanId);
        Assert.Equal("succeeded", job.GetTagItem("dti.job.state"));
        Assert.All(["load", "train", "save"], phase =>
            Assert.Equal(job.TraceId, Assert.Single(spans, span => span.OperationName == phase).TraceId)
        );
    }

    private static async Task<Dictionary<string, double>> MetricsAsync(TestServer server)
    {
        using var http = new HttpClient();
        var page = await http.GetStringAsync(new Uri(server.MetricsAddress!, "metrics"));
        return page.Split('\n')
            .Where(line => line.StartsWith("dti_", StringComparison.Ordinal))
            .Select(line => line.Split(' '))
            .ToDictionary(words => words[0], words => double.Parse(words[1], CultureInfo.InvariantCulture));
    }

    private static double Sum(Dictionary<string, double> page, string name, params string[] tags) =>
        page.Where(line => Is(line.Key, name) && tags.All(tag => line.Key.Contains(tag, StringComparison.Ordinal)))
            .Sum(line => line.Value);

    private static bool Is(string key, string name) => key.Split('{')[0] == name;
}
