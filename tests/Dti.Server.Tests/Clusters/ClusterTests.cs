using Dti.Server.Jobs;
using Dti.Server.Jobs.Grains;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Server.Tests.Clusters;

/// <summary>Two gateways and a worker that share a real database and a folder.</summary>
public abstract class ClusterTests(ClusterFixture fixture)
{
    private static readonly SemaphoreSlim _one = new(1);
    private static byte[]? _unbroken;

    private TestServer First => fixture.First;

    private TestServer Second => fixture.Second;

    [Fact]
    public async Task Train_ThroughOneGateway_IsSeenThroughTheOther()
    {
        using var training = Train("shared", steps: 20);
        var jobId = await AcceptedAsync(training);

        var seen = await WatchAsync(jobId);

        Assert.NotNull(seen[^1].Result);
        Assert.Equal(
            Enumerable.Range(1, 20),
            seen.Where(happened => happened.Progress is not null).Select(happened => happened.Progress.Step)
        );
        Assert.Equal(JobState.Succeeded, (await GetAsync(jobId)).State);
        Assert.Contains(
            jobId,
            (await Second.Jobs.ListAsync(new JobServiceListRequest())).Jobs.Select(job => job.JobId)
        );
        var concepts = await Second.Concepts.ListAsync(new ConceptServiceListRequest());
        Assert.Contains("shared", concepts.Concepts.Select(concept => concept.Name));
    }

    [Fact]
    public async Task Cancel_ThroughTheOtherGateway_StopsTheWorker()
    {
        using var training = Train("endless", steps: 50_000);
        var jobId = await AcceptedAsync(training);
        await Second.UntilAsync(jobId, job => job.Step > 2);

        await Second.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = jobId });

        var cancelled = await Assert.ThrowsAsync<RpcException>(async () => await WatchAsync(jobId));
        Assert.Equal(StatusCode.Cancelled, cancelled.StatusCode);
    }

    [Fact]
    public async Task Stop_DatabaseThenWorker_AnotherWorkerContinuesWithTheSameResult()
    {
        var unbroken = await UnbrokenAsync();
        using var training = Train("moved", steps: 60);
        var jobId = await AcceptedAsync(training);
        await Second.UntilAsync(jobId, job => job.Step > 5);

        await fixture.Cluster.Database.StopAsync(); // no running job stops
        var before = (await GetAsync(jobId)).Step;
        await Second.UntilAsync(jobId, job => job.Step > before);
        await fixture.Cluster.Database.StartAsync();
        await fixture.ReplaceWorkerAsync(() => Second.UntilAsync(jobId, job => job.State == JobState.Queued));

        var steps = new List<int>();
        await foreach (var happened in training.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            steps.AddRange(happened.Progress is { } progress ? [progress.Step] : []);
        }

        Assert.Equal(Enumerable.Range(1, 60), steps);
        Assert.Equal(unbroken, await Second.VectorsAsync("moved"));
    }

    [Fact]
    public async Task End_DatabaseIsAway_IsReportedOnceItIsStored()
    {
        using var training = Train("stored", steps: 40);
        var jobId = await AcceptedAsync(training);
        await Second.UntilAsync(jobId, job => job.Step > 5);
        await fixture.Cluster.Database.StopAsync();
        var events = training.ResponseStream;
        while (events.Current.Progress?.Step != 40)
        {
            Assert.True(await events.MoveNext(TestContext.Current.CancellationToken));
        }

        var next = events.MoveNext(TestContext.Current.CancellationToken);
        await Task.WhenAny(next, Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken));

        Assert.False(next.IsCompleted);
        Assert.Equal(JobState.Running, (await GetAsync(jobId)).State);
        await fixture.Cluster.Database.StartAsync();
        Assert.True(await next);
        Assert.NotNull(events.Current.Result);
        Assert.Equal(JobState.Succeeded, (await GetAsync(jobId)).State);
    }

    [Fact]
    public async Task Hosts_OfTheCluster_AnnounceRolesDevicesAndModels()
    {
        await First.TrainAsync(TestServer.Request("announced"));
        var queue = await Second.Services.GetRequiredService<JobSilo>().QueueAsync();
        IReadOnlyList<HostView> hosts;
        while (
            (hosts = await queue.HostsAsync()).Count < 3
            || !hosts.Any(host => host.Announcement.Models.Any(model => model.IsLoaded))
        )
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.Equal(["gateway", "gateway", "worker"], hosts.Select(host => host.Announcement.Role));
        var worker = hosts[2].Announcement;
        var device = Assert.Single(worker.Devices);
        Assert.Equal($"{worker.Host}/cpu", device.Name);
        Assert.InRange(device.FreeBytes, 1, device.MemoryBytes);
        var model = Assert.Single(worker.Models);
        Assert.Equal("tiny-sd15", model.Name);
        Assert.Equal(16, model.Fingerprint.Length);
        Assert.All(hosts.Take(2), gateway => Assert.Empty(gateway.Announcement.Devices));
    }

    [Fact]
    public async Task Get_Cluster_ListsItsHostsWithModelsAndJobs()
    {
        using var training = Train("listed", steps: 50_000);
        var jobId = await AcceptedAsync(training);
        await Second.UntilAsync(jobId, job => job.Step > 2);
        using var channel = Second.NewChannel();
        var cluster = new ClusterService.ClusterServiceClient(channel);

        var hosts = await UntilAsync(
            async () => (await cluster.GetAsync(new ClusterServiceGetRequest())).Hosts,
            hosts => hosts.Count == 3 && hosts[^1].Models.Any(model => model.Loaded)
        );

        Assert.Equal(["gateway-1", "gateway-2"], hosts.SkipLast(1).Select(host => host.Name));
        Assert.All(hosts.SkipLast(1), host => Assert.Equal(("gateway", 0), (host.Role, host.Devices.Count)));
        Assert.Equal("worker", hosts[^1].Role);
        var device = Assert.Single(hosts[^1].Devices);
        Assert.InRange(device.FreeMemoryBytes, 1, device.JobMemoryBytes);
        Assert.Equal(jobId, Assert.Single(device.Jobs).JobId);
        await Second.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = jobId });
    }

    [Fact]
    public async Task Metrics_OfAHost_HaveItsNameAsALabel()
    {
        using var http = new HttpClient();

        var page = await UntilAsync(
            () => http.GetStringAsync(new Uri(Second.MetricsAddress!, "metrics")),
            page => page.Contains("dti_host_info{", StringComparison.Ordinal)
        );

        Assert.All(page.Split('\n').Where(line => line.StartsWith("dti_host_info{", StringComparison.Ordinal)), line =>
            Assert.Contains("host_name=\"gateway-2\"", line, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task List_OfAWorker_IsUnimplemented()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await fixture.Worker.Jobs.ListAsync(new JobServiceListRequest())
        );

        Assert.Equal(StatusCode.Unimplemented, refused.StatusCode);
    }

    /// <summary>The vectors of a training that nothing interrupts, the same for every database.</summary>
    private async Task<byte[]> UnbrokenAsync()
    {
        await _one.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_unbroken is null)
            {
                await First.TrainAsync(TestServer.Request("unbroken", steps: 60));
                _unbroken = await First.VectorsAsync("unbroken");
            }

            return _unbroken;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Asks until an answer is as expected; each host announces itself every few seconds.</summary>
    private static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> isExpected)
    {
        while (true)
        {
            var answer = await ask();
            if (isExpected(answer))
            {
                return answer;
            }

            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    private AsyncServerStreamingCall<TrainResponse> Train(string name, int steps) =>
        First.Dti.Train(TestServer.Request(name, steps), cancellationToken: TestContext.Current.CancellationToken);

    private static async Task<string> AcceptedAsync(AsyncServerStreamingCall<TrainResponse> training)
    {
        await training.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
        return training.ResponseStream.Current.Accepted.JobId;
    }

    private async Task<Job> GetAsync(string jobId) =>
        (await Second.Jobs.GetAsync(new JobServiceGetRequest { JobId = jobId })).Job;

    private async Task<List<TrainResponse>> WatchAsync(string jobId)
    {
        using var watch = Second.Jobs.Watch(
            new JobServiceWatchRequest { JobId = jobId },
            cancellationToken: TestContext.Current.CancellationToken
        );
        var seen = new List<TrainResponse>();
        await foreach (var happened in watch.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            seen.Add(happened.Event);
        }

        return seen;
    }
}

/// <inheritdoc/>
public sealed class PostgresClusterTests(PostgresClusterFixture fixture)
    : ClusterTests(fixture),
        IClassFixture<PostgresClusterFixture>;

/// <inheritdoc/>
public sealed class RedisClusterTests(RedisClusterFixture fixture)
    : ClusterTests(fixture),
        IClassFixture<RedisClusterFixture>;
