using Dti.Engine;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Grains;
using Dti.Server.Jobs.Storage;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dti.Server.Tests;

/// <summary>Jobs that outlive their server.</summary>
public sealed class DurableJobTests : DurableServer
{
    private const int Long = 100_000;
    private readonly NoDevice _device = new();

    [Fact]
    public async Task Restart_WhileTraining_GoesOnToTheSameConceptAndEachStepIsThereOnce()
    {
        await Server.TrainAsync(TestServer.Request("whole", steps: 20, change: Previewed));
        using var call = Server.Dti.Train(TestServer.Request("broken", steps: 20, change: Previewed));
        var jobId = await AcceptedAsync(call);
        await Server.UntilAsync(jobId, job => job.Step >= 5);

        await RestartAsync();
        var events = await WatchAsync(jobId);

        Assert.Equal(Enumerable.Range(1, 20), events.Where(e => e.Progress is not null).Select(e => e.Progress.Step));
        Assert.Equal([10, 20], events.Where(e => e.Preview is not null).Select(e => e.Preview.Step));
        Assert.Equal(20, events[^1].Result.Steps);
        Assert.Single(events, e => e.Accepted is not null);
        Assert.Equal(await Server.VectorsAsync("whole"), await Server.VectorsAsync("broken"));
        Assert.Equal(await SummaryAsync("whole"), await SummaryAsync("broken"));
        Assert.Equal(
            JobState.Succeeded,
            (await Server.Jobs.GetAsync(new JobServiceGetRequest { JobId = jobId })).Job.State
        );
    }

    [Fact]
    public async Task Restart_WithJobsInTheQueue_RunsThemInTheirOrder()
    {
        using var running = Server.Dti.Train(TestServer.Request("running", steps: Long));
        var first = await AcceptedAsync(running);
        await Server.UntilAsync(first, job => job.State == JobState.Running);
        using var a = Server.Dti.Train(TestServer.Request("a"));
        var second = await AcceptedAsync(a);
        using var b = Server.Dti.Train(TestServer.Request("b"));
        var third = await AcceptedAsync(b);

        await RestartAsync();
        await Server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = first });
        var jobs = new[]
        {
            await Server.UntilAsync(second, job => job.Ended is not null),
            await Server.UntilAsync(third, job => job.Ended is not null),
        };

        Assert.All(jobs, job => Assert.Equal(JobState.Succeeded, job.State));
        Assert.True(jobs[0].Ended <= jobs[1].Started);
        Assert.Equal(JobState.Cancelled, (await Server.UntilAsync(first, job => job.Ended is not null)).State);
    }

    [Fact]
    public async Task Restart_AfterAJob_RemembersItItsEventsAndItsRequestId()
    {
        var request = TestServer.Request("cat", change: r => r.RequestId = "mine");
        var before = await Server.TrainAsync(request);
        var jobId = before[0].Accepted.JobId;

        await RestartAsync();
        var watched = await WatchAsync(jobId);
        var again = await Server.TrainAsync(request);

        Assert.Equal(before.Where(e => e.Queued is null), watched);
        Assert.Equal((jobId, true), (again[0].Accepted.JobId, again[0].Accepted.Attached));
        Assert.Equal(jobId, Assert.Single((await Server.Jobs.ListAsync(new())).Jobs).JobId);
    }

    [Fact]
    public async Task Restart_CancelledAndFailedJobs_StayWhatTheyWere()
    {
        using var call = Server.Dti.Train(TestServer.Request("cat", steps: Long));
        var jobId = await AcceptedAsync(call);
        await Server.UntilAsync(jobId, job => job.Step > 0);
        await Server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = jobId });
        await Server.UntilAsync(jobId, job => job.Ended is not null);

        await RestartAsync();

        Assert.Equal(
            JobState.Cancelled,
            (await Server.Jobs.GetAsync(new JobServiceGetRequest { JobId = jobId })).Job.State
        );
        Assert.Equal("JOB_CANCELLED", Refusal.Reason(await Refusal.Of(() => WatchAsync(jobId), StatusCode.Cancelled)));
    }

    [Fact]
    public async Task Start_WhileAnotherServerUsesTheFolder_IsRefused()
    {
        await Server.TrainAsync(TestServer.Request("cat"));
        var error = await Assert.ThrowsAnyAsync<DtiException>(async () => await Start().DisposeAsync());
        Assert.Contains("is used by another server", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_StateThatCannotBeRead_IsRefusedByName()
    {
        await Server.TrainAsync(TestServer.Request("cat"));
        await Server.DisposeAsync();
        var file = Path.Combine(JobFolder, JobSilo.Pool, "queue.state");
        var whole = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(file, whole[..20], TestContext.Current.CancellationToken);

        var error = await Assert.ThrowsAnyAsync<DtiException>(async () => await Start().DisposeAsync());
        Assert.Contains(file, error.Message, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(file, whole, TestContext.Current.CancellationToken);
        Server = Start();
        Assert.Single((await Server.Jobs.ListAsync(new())).Jobs);
    }

    [Fact]
    public async Task Lost_AtTwoSteps_IsTakenUpAgainEachTimeAndEqualsTheUnbrokenTraining()
    {
        await Server.TrainAsync(TestServer.Request("whole", steps: 18));
        using var call = Server.Dti.Train(TestServer.Request("lost", steps: 18));
        var jobId = await AcceptedAsync(call);
        foreach (var step in new[] { 4, 10 })
        {
            await Server.UntilAsync(jobId, job => job.Step >= step);
            await LoseAsync();
        }

        var events = await WatchAsync(jobId);

        Assert.Equal(Enumerable.Range(1, 18), events.Where(e => e.Progress is not null).Select(e => e.Progress.Step));
        Assert.Equal(await Server.VectorsAsync("whole"), await Server.VectorsAsync("lost"));
    }

    /// <summary>The job succeeded with the step at which it was lost: a worker that is alive writes on for a moment.</summary>
    [Fact]
    public async Task Lost_WhileItsLastStepsAreWritten_EndsWithAllSteps()
    {
        // the device has no time for others
        using var running = Server.Dti.Train(TestServer.Request("running", steps: Long));
        await Server.UntilAsync(await AcceptedAsync(running), job => job.Step > 0);
        using var call = Server.Dti.Train(TestServer.Request("late"));
        var jobId = await AcceptedAsync(call);
        var silo = Server.Services.GetRequiredService<JobSilo>();
        var (folder, job) = (Server.Services.GetRequiredService<JobFolder>(), await silo.JobAsync(jobId));
        var device = (await silo.GrainsAsync()).CreateObjectReference<IDeviceObserver>(_device); // the test is the device

        var epoch = await job.StartAsync(device);
        Assert.Equal(JobState.Queued, await job.LostAsync());
        using (var log = folder.Events(jobId).OpenWriter(epoch, first: 1))
        {
            log.Append(3, new TrainResponse { Progress = new TrainProgress { Step = 3 } });
            log.Append(0, new TrainResponse { Result = new TrainResult() });
            await log.StoreAsync();
        }

        using var attempt = new JobAttempt(
            (await job.GetAsync()).Ticket!,
            await job.StartAsync(device),
            folder,
            job,
            NullLogger.Instance
        );
        Assert.True(attempt.HasResult);
        await attempt.EndAsync(JobState.Succeeded, null);

        Assert.Equal(3, (await job.GetAsync()).Step);
    }

    [Fact]
    public async Task Lost_TwiceAtTheSameStep_IsQuarantined()
    {
        using var running = Server.Dti.Train(TestServer.Request("running", steps: Long));
        var jobId = await AcceptedAsync(running);
        await Server.UntilAsync(jobId, job => job.Step >= 3);
        var job = await Server.Services.GetRequiredService<JobSilo>().JobAsync(jobId);
        await Server
            .Services.GetServices<IHostedService>()
            .OfType<DeviceWorker>()
            .Single()
            .StopAsync(TestContext.Current.CancellationToken); // the test is the device now
        var device = (
            await Server.Services.GetRequiredService<JobSilo>().GrainsAsync()
        ).CreateObjectReference<IDeviceObserver>(_device);
        var record = await job.GetAsync();

        foreach (var expected in new[] { JobState.Queued, JobState.Failed })
        {
            Assert.NotEqual(0, await job.StartAsync(device));
            Assert.Equal(expected, await job.LostAsync());
        }

        var error = await Refusal.Of(() => WatchAsync(jobId), StatusCode.Aborted);
        Assert.Equal("JOB_QUARANTINED", Refusal.Reason(error));
        Assert.Contains($"step {record.Step}", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_BeyondItsCount_IsForgottenWithItsFiles()
    {
        await Server.DisposeAsync();
        Server = Start(options => options with { JobHistory = 2 });
        var ids = new List<string>();
        foreach (var name in new[] { "a", "b", "c", "d" })
        {
            ids.Add((await Server.TrainAsync(TestServer.Request(name)))[0].Accepted.JobId);
            await Server.UntilAsync(ids[^1], job => job.Ended is not null);
        }

        // pruned when a job comes in
        Assert.Equal([ids[3], ids[2], ids[1]], (await Server.Jobs.ListAsync(new())).Jobs.Select(job => job.JobId));
        Assert.False(Directory.Exists(Path.Combine(Server.Options.JobFolder!, ids[0])));
        await Refusal.Of(() => WatchAsync(ids[0]), StatusCode.NotFound);
    }

    /// <summary>
    /// A concept could not be trained again at once: its watchers knew that the first training was over, the queue did
    /// not yet.
    /// </summary>
    [Fact]
    public async Task Train_AgainBeforeTheQueueKnowsThatTheFirstIsOver_IsAccepted()
    {
        // the device has no time for others
        using var running = Server.Dti.Train(TestServer.Request("running", steps: Long));
        await Server.UntilAsync(await AcceptedAsync(running), job => job.Step > 0);
        using var first = Server.Dti.Train(TestServer.Request("cat"));
        var silo = Server.Services.GetRequiredService<JobSilo>();
        var job = await silo.JobAsync(await AcceptedAsync(first));
        // the test is the device
        var epoch = await job.StartAsync((await silo.GrainsAsync()).CreateObjectReference<IDeviceObserver>(_device));
        await job.EndAsync(epoch, JobState.Succeeded, []);
        while (await first.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
            // What is told ends here: the job is over.
        }

        using var again = Server.Dti.Train(TestServer.Request("cat"));

        await AcceptedAsync(again);
    }

    /// <summary>
    /// A full disk held a job for ever between the queue, which had given it away, and the device, which never had it.
    /// </summary>
    [Theory]
    [InlineData("queue-000000.state")]
    [InlineData("job.state")]
    public async Task Start_StateThatCannotBeWritten_WaitsUntilThereIsRoom(string file)
    {
        await Server.DisposeAsync();
        var log = new LogCollector();
        Server = Start(services: services =>
            services.AddLogging(logging => logging.AddProvider(log).AddFilter("Dti", LogLevel.Information))
        );
        using var disk = new FailingDisk(JobFolder, files: path =>
            Path.GetFileName(path).StartsWith(file, StringComparison.Ordinal)
        );
        using var running = Server.Dti.Train(TestServer.Request("running", steps: Long));
        var first = await AcceptedAsync(running);
        await Server.UntilAsync(first, job => job.Step > 0);
        using var waiting = Server.Dti.Train(TestServer.Request("waiting"));
        var second = await AcceptedAsync(waiting);

        disk.Fill();
        await Server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = first });
        // its watchers hear of it although it cannot be written
        await Refusal.Of(() => WatchAsync(first), StatusCode.Cancelled);
        while (disk.Failures < 5)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.Equal(
            JobState.Queued,
            (await Server.Jobs.GetAsync(new JobServiceGetRequest { JobId = second })).Job.State
        );
        var refusal = await Refusal.Of(
            () => Server.TrainAsync(TestServer.Request("third")),
            StatusCode.ResourceExhausted
        );
        Assert.Contains("disk is full", refusal.Status.Detail, StringComparison.Ordinal);

        Assert.Single(Lines("The queue does not answer")); // however often it was tried
        Assert.Empty(Lines("The queue answers again"));
        disk.Free();
        Assert.Equal(JobState.Succeeded, (await Server.UntilAsync(second, job => job.Ended is not null)).State);
        Assert.Single(Lines("The queue does not answer"));
        Assert.Single(Lines("The queue answers again"));
        await RestartAsync();
        Assert.Equal(
            [JobState.Succeeded, JobState.Cancelled],
            (await Server.Jobs.ListAsync(new())).Jobs.Select(job => job.State)
        );

        IEnumerable<string> Lines(string beginning) =>
            log.Lines.Where(line => line.StartsWith(beginning, StringComparison.Ordinal));
    }

    /// <summary>A full disk ended a training at its next step.</summary>
    [Fact]
    public async Task Train_LogAndSnapshotsCannotBeWrittenForAWhile_GoesOnAndEachStepIsToldOnce()
    {
        await Server.TrainAsync(TestServer.Request("whole", steps: 24));
        using var disk = new FailingDisk(Folder.FullName, files: path => Path.GetExtension(path) != ".state");
        using var call = Server.Dti.Train(TestServer.Request("cat", steps: 24));
        var jobId = await AcceptedAsync(call);
        await Server.UntilAsync(jobId, job => job.Step >= 3);

        disk.Fill();
        await Server.UntilAsync(jobId, _ => disk.Failures >= 4);
        disk.Free();
        var events = await WatchAsync(jobId);

        Assert.Equal(Enumerable.Range(1, 24), events.Where(e => e.Progress is not null).Select(e => e.Progress.Step));
        Assert.Equal(24, events[^1].Result.Steps);
        Assert.Equal(await Server.VectorsAsync("whole"), await Server.VectorsAsync("cat"));
    }

    [Fact]
    public async Task Train_DiskStaysFull_FailsAtItsEndAndSaysWhy()
    {
        using var disk = new FailingDisk(Folder.FullName, files: path => Path.GetExtension(path) != ".state");
        using var call = Server.Dti.Train(TestServer.Request("cat", steps: 40));
        var jobId = await AcceptedAsync(call);
        await Server.UntilAsync(jobId, job => job.Step >= 3);

        disk.Fill();
        var error = await Refusal.Of(() => WatchAsync(jobId), StatusCode.ResourceExhausted);

        Assert.Contains("disk is full", error.Status.Detail, StringComparison.Ordinal);
        Assert.True(disk.Failures > 8, $"{disk.Failures}"); // it went on to its end
    }

    private static void Previewed(TrainRequest request)
    {
        (request.Options.PreviewEvery, request.Options.PreviewSteps) = (10, 1);
        request.Options.PreviewPrompts.Add("a photo"); // without the name, so that two runs' pictures can be the same
    }

    private static async Task<string> AcceptedAsync(AsyncServerStreamingCall<TrainResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return call.ResponseStream.Current.Accepted.JobId;
    }

    /// <summary>As if the device's process had died and come up again: the queue hears of a new life.</summary>
    private async Task LoseAsync()
    {
        var queue = await Server.Services.GetRequiredService<JobSilo>().QueueAsync();
        await queue.RegisterAsync(DeviceWorker.NameOf(Server.Options, "cpu"), Guid.NewGuid().ToString("N"));
    }

    private async Task<byte[]> SummaryAsync(string name) =>
        (await Server.Concepts.GetAsync(new ConceptServiceGetRequest { Name = name })).Concept.SummaryPng.ToByteArray();

    private async Task<List<TrainResponse>> WatchAsync(string jobId)
    {
        using var call = Server.Jobs.Watch(
            new JobServiceWatchRequest { JobId = jobId },
            cancellationToken: TestContext.Current.CancellationToken
        );
        var events = new List<TrainResponse>();
        await foreach (var happened in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            if (happened.Event.Queued is null)
            {
                events.Add(happened.Event);
            }
        }

        return events;
    }

    private sealed class NoDevice : IDeviceObserver
    {
        public Task CancelAsync(string jobId) => Task.CompletedTask;
    }
}
