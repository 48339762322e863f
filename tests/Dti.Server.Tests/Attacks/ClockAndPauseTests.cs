using Dti.Engine.Runtime.Files;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Grains;
using Dti.Server.Libraries;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Health.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using Serving = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Dti.Server.Tests.Attacks;

/// <summary>The clock is set, or the process stands still.</summary>
public sealed class ClockAndPauseTests
{
    private static readonly TimeSpan _silence = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(5);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_ClockSetBackAndForth_IsAcceptedAndHealthIsServing()
    {
        var clock = new SettableClock();
        await using var server = TestServer.Start(services: services => services.AddSingleton<TimeProvider>(clock));
        using var channel = server.NewChannel();
        await server.PictureAsync(TestServer.Draw("a dog"));

        foreach (var hours in new[] { -1, 48, -100_000 })
        {
            clock.Offset = TimeSpan.FromHours(hours);
            Assert.NotEmpty(await server.PictureAsync(TestServer.Draw("a dog")));
            Assert.Equal(Serving.Serving, (await new Health.HealthClient(channel).CheckAsync(new())).Status);
        }

        Assert.Equal(4, (await server.Jobs.ListAsync(new())).Jobs.Count);
    }

    [Fact]
    public async Task Submit_QueueFails_LeavesNoPhotos()
    {
        var folder = Directory.CreateTempSubdirectory("dti-durable-").FullName;
        var jobs = Path.Combine(folder, "jobs");
        await using (var server = TestServer.Start(options => options with { JobFolder = jobs }))
        {
            await server.PictureAsync(TestServer.Draw("a dog"));
            var before = Directory.GetDirectories(jobs).Length;
            using (
                new FailingDisk(jobs, after: 0, files: path =>
                    path.EndsWith(".state", StringComparison.Ordinal)
                    || path.Contains(".state.", StringComparison.Ordinal)
                )
            )
            {
                await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => server.TrainAsync(TestServer.Request("cat")));
            }

            Assert.Equal(before, Directory.GetDirectories(jobs).Length);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void SteadyTime_ClockIsSet_GoesOn()
    {
        var clock = new SettableClock();
        var steady = new SteadyTime(clock);
        var before = steady.GetUtcNow();
        clock.Offset = TimeSpan.FromDays(-1000);
        Assert.InRange(steady.GetUtcNow() - before, TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Heartbeats_QueueItselfStoodStill_LoseNoDevice()
    {
        var time = new FakeTimeProvider();
        var heartbeats = new DeviceHeartbeats(time, _silence, _period);
        heartbeats.Record("cpu", "one");
        for (var pause = 0; pause < 3; pause++)
        {
            time.Advance(TimeSpan.FromMinutes(1)); // SIGSTOP
            heartbeats.Tick();
            Assert.False(heartbeats.IsOverdue("cpu", "one"));
            time.Advance(_period);
            heartbeats.Tick();
            Assert.False(heartbeats.IsOverdue("cpu", "one"));
        }
    }

    [Fact]
    public void Heartbeats_DeviceAloneIsSilent_LosesItsLease()
    {
        var time = new FakeTimeProvider();
        var heartbeats = new DeviceHeartbeats(time, _silence, _period);
        heartbeats.Record("cpu", "one");
        for (var at = TimeSpan.Zero; at <= _silence; at += _period)
        {
            heartbeats.Tick();
            Assert.False(heartbeats.IsOverdue("cpu", "one"));
            time.Advance(_period);
        }

        heartbeats.Tick();
        Assert.True(heartbeats.IsOverdue("cpu", "one"));
        Assert.False(heartbeats.HasRestarted("cpu", "one"));
        heartbeats.Record("cpu", "two");
        Assert.True(heartbeats.HasRestarted("cpu", "one"));
    }

    [Fact]
    public async Task Renew_DeviceThatWasSilent_GoesOnWithItsJobAndNothingIsQuarantined()
    {
        await using var server = TestServer.Start();
        using var call = server.Dti.Train(TestServer.Request("cat", steps: 100_000));
        string? jobId = null;
        while (
            await call.ResponseStream.MoveNext(Cancellation)
            && call.ResponseStream.Current.Progress is not { Step: >= 1 }
        )
        {
            jobId ??= call.ResponseStream.Current.Accepted?.JobId;
        }

        var silo = server.Services.GetRequiredService<JobSilo>();
        var queue = await silo.QueueAsync();
        var worker = server.Services.GetServices<IHostedService>().OfType<DeviceWorker>().Single();
        for (var pause = 0; pause < 3; pause++)
        {
            for (var time = 0; time < 3; time++)
            {
                await queue.RenewAsync(worker.Name, worker.Incarnation, []); // as if it had lost sight of its job
            }

            await queue.RenewAsync(worker.Name, worker.Incarnation, new() { [jobId!] = 1 });
            Assert.Null(await queue.AcquireAsync("another", "life", duringTraining: false));
        }

        var step = (await server.UntilAsync(jobId!, job => job.State == JobState.Running)).Step;
        await server.UntilAsync(jobId!, job => job.Step > step);
        Assert.Equal(1, (await (await silo.JobAsync(jobId!)).GetAsync()).Epoch);
        await server.Jobs.CancelAsync(new() { JobId = jobId! });
        Assert.Equal(JobState.Cancelled, (await server.UntilAsync(jobId!, job => job.Ended is not null)).State);
    }

    [Fact]
    public async Task Cancel_JobOfASilentDevice_EndsIt()
    {
        await using var server = TestServer.Start();
        using var call = server.Dti.Train(TestServer.Request("cat", steps: 100_000));
        Assert.True(await call.ResponseStream.MoveNext(Cancellation));
        var jobId = call.ResponseStream.Current.Accepted.JobId;
        await server.UntilAsync(jobId, job => job.Step > 0);
        // the test is the device now
        await server.Services.GetServices<IHostedService>().OfType<DeviceWorker>().Single().StopAsync(Cancellation);
        var queue = await server.Services.GetRequiredService<JobSilo>().QueueAsync();
        var job = await server.Services.GetRequiredService<JobSilo>().JobAsync(jobId);
        Assert.Equal(jobId, (await queue.AcquireAsync("device", "life", duringTraining: false))?.JobId);
        await job.StartAsync(
            (await server.Services.GetRequiredService<JobSilo>().GrainsAsync()).CreateObjectReference<IDeviceObserver>(
                new DeafDevice()
            )
        );
        for (var time = 0; time < 3; time++)
        {
            await queue.RenewAsync("device", "life", []);
        }

        await server.Jobs.CancelAsync(new() { JobId = jobId });

        Assert.Equal(JobState.Cancelled, (await server.UntilAsync(jobId, ended => ended.Ended is not null)).State);
    }

    [Fact]
    public void EarlierVersions_ClockSetBack_KeepTheNewest()
    {
        var folder = Directory.CreateTempSubdirectory("dti-versions-").FullName;
        var (earlier, journal) = (new EarlierVersions(folder), new FolderJournal(folder));
        for (var year = 2030; year > 2020; year--)
        {
            File.WriteAllText(Path.Combine(folder, "cat.json"), $"{year}");
            using var change = journal.Begin();
            earlier.Keep(
                change,
                new Concept
                {
                    Name = "cat",
                    Created = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(
                        new DateTime(year, 1, 1, 0, 0, 0, DateTimeKind.Utc)
                    ),
                },
                [(".json", Path.Combine(folder, "cat.json"))]
            );
            change.Commit();
        }

        Assert.Equal(
            ["2021", "2022", "2023", "2024", "2025"],
            earlier
                .Versions("cat")
                .Select(version =>
                    File.ReadAllText(Path.Combine(folder, EarlierVersions.PlaceOf("cat", version, ".json")))
                )
        );
        Directory.Delete(folder, recursive: true);
    }

    private sealed class DeafDevice : IDeviceObserver
    {
        public Task CancelAsync(string jobId) => Task.CompletedTask;
    }

    private sealed class SettableClock : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
    }
}
