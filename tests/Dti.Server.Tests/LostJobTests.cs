using Dti.Server.Jobs;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Core.Internal;

namespace Dti.Server.Tests;

/// <summary>Jobs of which somebody does not hear what he should: none stays where it is for ever, and none keeps the others waiting.</summary>
public sealed class LostJobTests : IAsyncLifetime
{
    private const int Long = 100_000;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-lost-");
    private TestServer _server = null!;

    private string Jobs => Path.Combine(_folder.FullName, "jobs");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _server = Start();
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Cancel_GrainWasPutAwayMeanwhile_StopsTheTraining()
    {
        var jobId = await TrainAsync("cat", Long);
        await _server.UntilAsync(jobId, job => job.Step > 0);
        await PutAwayAsync(jobId);

        await _server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = jobId });

        Assert.Equal(JobState.Cancelled, (await _server.UntilAsync(jobId, job => job.Ended is not null)).State);
    }

    [Fact]
    public async Task Take_JobThatCannotBeStarted_OthersGoFirstAndItGoesOnceItIsMended()
    {
        var running = await TrainAsync("running", Long);
        await _server.UntilAsync(running, job => job.Step > 0);
        var (broken, whole) = (await TrainAsync("broken"), await TrainAsync("whole"));
        await PutAwayAsync(broken);
        var mend = Spoil(broken);

        await _server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = running });

        await _server.UntilAsync(whole, job => job.State == JobState.Succeeded);
        mend();
        Assert.Equal(JobState.Succeeded, (await _server.UntilAsync(broken, job => job.Ended is not null)).State);
        _server.AcceptErrors(broken);
    }

    [Fact]
    public async Task Start_FormerLifesJobCannotBeRead_OthersGoOnAndItDoesOnceItIsMended()
    {
        var broken = await TrainAsync("broken", Long);
        await _server.UntilAsync(broken, job => job.Step > 0);
        var waiting = await TrainAsync("waiting");
        var killed = CopyOfJobs();
        await _server.DisposeAsync();
        Directory.Delete(Jobs, recursive: true);
        Directory.Move(killed, Jobs);
        var mend = Spoil(broken);

        _server = Start();

        await _server.UntilAsync(waiting, job => job.State == JobState.Succeeded);
        mend();
        var step = (await _server.UntilAsync(broken, job => job.State == JobState.Running)).Step;
        await _server.UntilAsync(broken, job => job.Step > step);
        _server.AcceptErrors(broken);
    }

    [Fact]
    public async Task Submit_OldJobCannotBeForgotten_IsAccepted()
    {
        await RestartAsync(options => options with { JobHistory = 1 });
        var old = await TrainAsync("old");
        await _server.UntilAsync(old, job => job.Ended is not null);
        await _server.UntilAsync(await TrainAsync("newer"), job => job.Ended is not null);
        await PutAwayAsync(old);
        Spoil(old);

        var next = await TrainAsync("next");

        await _server.UntilAsync(next, job => job.State == JobState.Succeeded);
        Assert.DoesNotContain((await _server.Jobs.ListAsync(new())).Jobs, job => job.JobId == old);
        _server.AcceptErrors(old);
        await RestartAsync();
        Assert.False(Directory.Exists(FolderOf(old)));
    }

    [Fact]
    public async Task Renew_JobThatTheDeviceDoesNotName_WaitsAgain()
    {
        var running = await TrainAsync("running", Long);
        await _server.UntilAsync(running, job => job.Step > 0);
        var jobId = await TrainAsync("cat");
        await _server.Services.GetServices<IHostedService>().OfType<DeviceWorker>().Single().StopAsync(Cancellation); // the test is the device now
        var queue = await _server.Services.GetRequiredService<JobSilo>().QueueAsync();
        await queue.WithdrawAsync(running);
        Assert.Equal(jobId, (await queue.TakeAsync("device", "life", beside: false))?.JobId); // and never heard of
        var named = new Dictionary<string, int> { [jobId] = 0 };

        await RenewAsync([], [], named, [], []);
        Assert.Null(await queue.TakeAsync("device", "life", beside: false));
        await RenewAsync([[]]);

        Assert.Equal(jobId, (await queue.TakeAsync("device", "life", beside: false))?.JobId);

        async Task RenewAsync(params Dictionary<string, int>[] each)
        {
            foreach (var steps in each)
            {
                await queue.RenewAsync("device", "life", steps);
            }
        }
    }

    [Fact]
    public async Task Call_JobsStateCannotBeRead_IsRefusedByTheFilesName()
    {
        var running = await TrainAsync("running", Long);
        await _server.UntilAsync(running, job => job.Step > 0);
        var broken = await TrainAsync("broken");
        await PutAwayAsync(broken);
        Spoil(broken);

        foreach (var call in new Func<Task>[]
        {
            async () => await _server.Jobs.GetAsync(new JobServiceGetRequest { JobId = broken }),
            async () => await _server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = broken }),
            async () => await _server.Jobs.Watch(new JobServiceWatchRequest { JobId = broken }).ResponseStream.MoveNext(Cancellation),
            () => TrainAsync("broken"),
        })
        {
            var error = await Refusal.Of(call, StatusCode.FailedPrecondition);
            Assert.Contains(Path.Combine(FolderOf(broken), "job.state"), error.Status.Detail, StringComparison.Ordinal);
        }

        Assert.Contains((await _server.Jobs.ListAsync(new())).Jobs, job => job.JobId == running);
        _server.AcceptErrors(broken);
    }

    [Fact]
    public async Task Start_JobsThatNobodyKnows_AreDeletedWithTheirPhotos()
    {
        var known = await TrainAsync("cat");
        await _server.UntilAsync(known, job => job.Ended is not null);
        var unknown = Guid.NewGuid().ToString("N");
        Directory.CreateDirectory(FolderOf(unknown));
        await File.WriteAllTextAsync(Path.Combine(FolderOf(unknown), "request.binpb"), "photos", Cancellation);

        await RestartAsync();

        Assert.False(Directory.Exists(FolderOf(unknown)));
        Assert.Equal(known, Assert.Single((await _server.Jobs.ListAsync(new())).Jobs).JobId);
    }

    private TestServer Start(Func<DtiServerOptions, DtiServerOptions>? change = null) => TestServer.Start(options => (change ?? (same => same))(options with
    {
        ConceptFolder = Path.Combine(_folder.FullName, "concepts"),
        JobFolder = Jobs,
    }));

    private async Task RestartAsync(Func<DtiServerOptions, DtiServerOptions>? change = null)
    {
        await _server.DisposeAsync();
        _server = Start(change);
    }

    private async Task<string> TrainAsync(string name, int steps = 3)
    {
        using var call = _server.Dti.Train(TestServer.Request(name, steps));
        Assert.True(await call.ResponseStream.MoveNext(Cancellation));
        return call.ResponseStream.Current.Accepted.JobId;
    }

    /// <summary>As Orleans does with a grain that nobody has asked for a while.</summary>
    private async Task PutAwayAsync(string jobId)
    {
        var job = await _server.Services.GetRequiredService<JobSilo>().JobAsync(jobId);
        await job.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
    }

    /// <summary>Makes a job's state unreadable.</summary>
    /// <returns>Makes it readable again.</returns>
    private Action Spoil(string jobId)
    {
        var file = Path.Combine(FolderOf(jobId), "job.state");
        var whole = File.ReadAllBytes(file);
        File.WriteAllBytes(file, whole[..20]);
        return () => File.WriteAllBytes(file, whole);
    }

    /// <summary>What a killed server leaves.</summary>
    private string CopyOfJobs()
    {
        var copy = Path.Combine(_folder.FullName, "copy");
        foreach (var file in Directory.GetFiles(Jobs, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != ".lock"))
        {
            var to = Path.Combine(copy, Path.GetRelativePath(Jobs, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }

        return copy;
    }

    private string FolderOf(string jobId) => Path.Combine(Jobs, jobId);
}
