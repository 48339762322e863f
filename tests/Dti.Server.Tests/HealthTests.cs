using Dti.Server.Diagnosis;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Status = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Dti.Server.Tests;

public class HealthTests
{
    [Fact]
    public async Task Check_DeviceComputes_IsServing()
    {
        await using var server = TestServer.Start();
        using var channel = server.NewChannel();
        Assert.Equal(Status.Serving, (await new Health.HealthClient(channel).CheckAsync(new())).Status);
    }

    [Fact]
    public async Task Check_DeviceBreaksAndComesBack_SaysSo()
    {
        Func<float> device = () => 2;
        var time = new FakeTimeProvider();
        await using var server = TestServer.Start(services: services =>
            services.AddSingleton(new DeviceProbe(() => device(), "cuda:0", time, NullLogger<DeviceProbe>.Instance))
        );
        using var channel = server.NewChannel();
        var health = new Health.HealthClient(channel);
        async Task<Status> Later()
        {
            time.Advance(TimeSpan.FromSeconds(4));
            return (await health.CheckAsync(new())).Status;
        }

        Assert.Equal(Status.Serving, await Later());
        device = () => throw new InvalidOperationException("CUDA error: device-side assert triggered");
        Assert.Equal(Status.NotServing, await Later());
        device = () => 3;
        Assert.Equal(Status.NotServing, await Later());
        device = () => 2;
        Assert.Equal(Status.Serving, await Later());
    }

    [Fact]
    public async Task Probe_AskedOftenWithinSeconds_AsksTheDeviceOnce()
    {
        var (time, asked) = (new FakeTimeProvider(), 0);
        using var probe = new DeviceProbe(() => ++asked + 1, "cpu", time, NullLogger<DeviceProbe>.Instance);
        Assert.Equal(
            [null, null, null],
            await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => probe.ProblemAsync(default)))
        );
        Assert.Equal(1, asked);
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal("cpu says that 1 + 1 is 3.", await probe.ProblemAsync(default));
    }

    [Fact]
    public async Task Probe_DeviceThatHangs_IsGivenUpAndNotAskedAgainMeanwhile()
    {
        var (time, asked) = (new FakeTimeProvider(), 0);
        using var hang = new ManualResetEventSlim();
        using var probe = new DeviceProbe(
            () =>
            {
                Interlocked.Increment(ref asked);
                hang.Wait();
                return 2;
            },
            "cuda:0",
            time,
            NullLogger<DeviceProbe>.Instance
        );

        for (var look = 0; look < 2; look++)
        {
            var problem = probe.ProblemAsync(default);
            while (!problem.IsCompleted)
            {
                time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(5);
            }

            Assert.Equal("cuda:0 has not answered for 10 seconds.", await problem);
            time.Advance(TimeSpan.FromSeconds(4));
        }

        Assert.Equal(1, asked);
        hang.Set();
        Assert.Null(await probe.ProblemAsync(default));
    }

    [Fact]
    public async Task Stop_TrainingUnderWay_SaysNotServingFirstThenSnapshotsWhileItAnswers()
    {
        await using var server = TestServer.Start(options => options with { DrainTime = TimeSpan.FromSeconds(5) });
        using var channel = server.NewChannel();
        var health = new Health.HealthClient(channel);
        using var watch = health.Watch(new HealthCheckRequest());
        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(Status.Serving, watch.ResponseStream.Current.Status);
        using var training = server.Dti.Train(TestServer.Request("drained", steps: 100_000));
        while (
            await training.ResponseStream.MoveNext(default)
            && training.ResponseStream.Current.Progress is not { Step: >= 2 }
        ) { }

        var stopped = server.StopAsync();

        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(Status.NotServing, watch.ResponseStream.Current.Status);
        Assert.Equal(Status.NotServing, (await health.CheckAsync(new())).Status);
        Assert.Equal(JobState.Running, Assert.Single((await server.Jobs.ListAsync(new())).Jobs).State);
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await training.ResponseStream.MoveNext(default)) { }
        });
        await stopped;
        Assert.NotEmpty(
            Directory.GetFiles(Path.Combine(server.Options.ConceptFolder, ".runs", "drained"), "*.safetensors")
        );
    }
}
