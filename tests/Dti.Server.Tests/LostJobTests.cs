using Dti.Server.Jobs;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Core.Internal;

namespace Dti.Server.Tests;

/// <summary>
/// Jobs of which somebody does not hear what he should: none stays where it is for ever, and none keeps the others
/// waiting.
/// </summary>
public sealed class LostJobTests : DurableServer
{
    private const int Long = 100_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cancel_GrainWasPutAwayMeanwhile_StopsTheTraining()
    {
        var jobId = await TrainAsync("cat", Long);
        await Server.UntilAsync(jobId, job => job.Step > 0);
        await PutAwayAsync(jobId);

        await Server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = jobId });

        Assert.Equal(JobState.Cancelled, (await Server.UntilAsync(jobId, job => job.Ended is not null)).State);
    }

    [Fact]
    public async Task Take_JobThatCannotBeStarted_OthersGoFirstAndItGoesOnceItIsMended()
    {
        var running = await TrainAsync("running", Long);
        await Server.UntilAsync(running, job => job.Step > 0);
        var (broken, whole) = (await TrainAsync("broken"), await TrainAsync("whole"));
        await PutAwayAsync(broken);
        var mend = Spoil(broken);

        await Server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = running });

        await Server.UntilAsync(whole, job => job.State == JobState.Succeeded);
        mend();
        Assert.Equal(JobState.Succeeded, (await Server.UntilAsync(broken, job => job.Ended is not null)).State);
        Server.AcceptErrors(broken);
    }

    [Fact]
    public async Task Start_FormerLifesJobCannotBeRead_OthersGoOnAndItDoesOnceItIsMended()
    {
        var broken = await TrainAsync("broken", Long);
        await Server.UntilAsync(broken, job => job.Step > 0);
        var waiting = await TrainAsync("waiting");
        var killed = CopyOfJobs();
        await Server.DisposeAsync();
        Directory.Delete(JobFolder, recursive: true);
        Directory.Move(killed, JobFolder);
        var mend = Spoil(broken);

        Server = Start();

        await Server.UntilAsync(waiting, job => job.State == JobState.Succeeded);
        mend();
        var step = (await Server.UntilAsync(broken, job => job.State == JobState.Running)).Step;
        await Server.UntilAsync(broken, job => job.Step > step);
        Server.AcceptErrors(broken);
    }

    [Fact]
    public async Task Submit_OldJobCannotBeForgotten_IsAccepted()
    {
        await RestartAsync(options => options with { JobHistory = 1 });
        var old = await TrainAsync("old");
        await Server.UntilAsync(old, job => job.Ended is not null);
        await Server.UntilAsync(await TrainAsync("newer"), job => job.Ended is not null);
        await PutAwayAsync(old);
        Spoil(old);

        var next = await TrainAsync("next");

        await Server.UntilAsync(next, job => job.State == JobState.Succeeded);
        Assert.DoesNotContain((await Server.Jobs.ListAsync(new())).Jobs, job => job.JobId == old);
        Server.AcceptErrors(old);
        await RestartAsync();
        Assert.False(Directory.Exists(FolderOf(old)));
    }

    [Fact]
    public async Task Renew_JobThatTheDeviceDoesNotName_WaitsAgain()
    {
        var running = await TrainAsync("running", Long);
        await Server.UntilAsync(running, job => job.Step > 0);
        var jobId = await TrainAsync("cat");
        // the test is the device now
        await Server.Services.GetServices<IHostedService>().OfType<DeviceWorker>().Single().StopAsync(Cancellation);
        var queue = await Server.Services.GetRequiredService<JobSilo>().QueueAsync();
        await queue.WithdrawAsync(running);
        // and never heard of
        Assert.Equal(jobId, (await queue.AcquireAsync("device", "life", duringTraining: false))?.JobId);
        var named = new Dictionary<string, int> { [jobId] = 0 };

        await RenewAsync([], [], named, [], []);
        Assert.Null(await queue.AcquireAsync("device", "life", duringTraining: false));
        await RenewAsync([
            [],
        ]);

        Assert.Equal(jobId, (await queue.AcquireAsync("device", "life", duringTraining: false))?.JobId);

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
        await Server.UntilAsync(running, job => job.Step > 0);
        var broken = await TrainAsync("broken");
        await PutAwayAsync(broken);
        Spoil(broken);

        foreach (
            var call in new Func<Task>[]
            {
                async () => await Server.Jobs.GetAsync(new JobServiceGetRequest { JobId = broken }),
                async () => await Server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = broken }),
                async () =>
                    await Server
                        .Jobs.Watch(new JobServiceWatchRequest { JobId = broken })
                        .ResponseStream.MoveNext(Cancellation),
                () => TrainAsync("broken"),
            }
        )
        {
            var error = await Refusal.Of(call, StatusCode.FailedPrecondition);
            Assert.Contains(
                $"{Path.Combine(broken, "job.state")} cannot be read",
                error.Status.Detail,
                StringComparison.Ordinal
            );
        }

        Assert.Contains((await Server.Jobs.ListAsync(new())).Jobs, job => job.JobId == running);
        Server.AcceptErrors(broken);
    }

    [Fact]
    public async Task Start_JobsThatNobodyKnows_AreDeletedWithTheirPhotos()
    {
        var known = await TrainAsync("cat");
        await Server.UntilAsync(known, job => job.Ended is not null);
        var unknown = Guid.NewGuid().ToString("N");
        Directory.CreateDirectory(FolderOf(unknown));
        await File.WriteAllTextAsync(Path.Combine(FolderOf(unknown), "request.binpb"), "photos", Cancellation);

        await RestartAsync();

        Assert.False(Directory.Exists(FolderOf(unknown)));
        Assert.Equal(known, Assert.Single((await Server.Jobs.ListAsync(new())).Jobs).JobId);
    }

    private async Task<string> TrainAsync(string name, int steps = 3)
    {
        using var call = Server.Dti.Train(TestServer.Request(name, steps));
        Assert.True(await call.ResponseStream.MoveNext(Cancellation));
        return call.ResponseStream.Current.Accepted.JobId;
    }

    /// <summary>As Orleans does with a grain that nobody has asked for a while.</summary>
    private async Task PutAwayAsync(string jobId)
    {
        var job = await Server.Services.GetRequiredService<JobSilo>().JobAsync(jobId);
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
        var copy = Path.Combine(Folder.FullName, "copy");
        foreach (
            var file in Directory
                .GetFiles(JobFolder, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetFileName(file) != ".lock")
        )
        {
            var to = Path.Combine(copy, Path.GetRelativePath(JobFolder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }

        return copy;
    }

    private string FolderOf(string jobId) => Path.Combine(JobFolder, jobId);
}
