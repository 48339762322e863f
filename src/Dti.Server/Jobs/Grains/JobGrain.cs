using Dti.Engine;
using Dti.Server.Errors;
using Dti.Server.Jobs.Storage;
using Dti.Server.Telemetry;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Utilities;

namespace Dti.Server.Jobs.Grains;

/// <inheritdoc cref="IJobGrain"/>
internal sealed class JobGrain(
    [PersistentState("job", JobSilo.Storage)] IPersistentState<JobRecord> stored,
    JobFolder folder,
    [FromKeyedServices(JobSilo.WallClock)] TimeProvider time,
    ILogger<JobGrain> logger
) : Grain, IJobGrain
{
    private static readonly TimeSpan _forgetWatchersAfter = TimeSpan.FromMinutes(1); // they renew more often than that
    private ObserverManager<IJobObserver>? _watchers;
    private StateWriter<JobRecord>? _writer;
    private IDeviceObserver? _device;
    private QueuePlace? _place;

    private string Id => this.GetPrimaryKeyString();

    private JobRecord Job => stored.State;

    private StateWriter<JobRecord> Writer => _writer ??= new(this, $"job {Id}", stored, Written, logger);

    private ObserverManager<IJobObserver> Watchers => _watchers ??= new(_forgetWatchersAfter, logger);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        Writer.EndAsync();

    public async Task CreateAsync(JobTicket ticket)
    {
        await CommitAsync(new JobRecord { Ticket = ticket, State = JobState.Queued });
        logger.JobAccepted(ticket.JobId, ticket.Kind.ToString());
    }

    public Task<JobRecord> GetAsync() => Task.FromResult(Job with { });

    public async Task<int> StartAsync(IDeviceObserver device)
    {
        if (Job.Ticket is null || Job.IsOver)
        {
            return 0;
        }

        await CommitAsync(
            Job with
            {
                Epoch = Job.Epoch + 1,
                State = JobState.Running,
                Started = Job.Started ?? time.GetUtcNow(),
            }
        );
        _device = device;
        _place = null;
        // no call may reach it for hours, and it would lose the device to notify of a cancellation
        DelayDeactivation(Timeout.InfiniteTimeSpan);
        return Job.Epoch;
    }

    public async Task<AttemptLease> PublishAsync(int epoch, EventBatch batch)
    {
        if (!Holds(epoch))
        {
            return AttemptLease.Lost;
        }

        Job.Step = Math.Max(Job.Step, batch.Step);
        await Watchers.Notify(watcher => watcher.EventsAsync(Id, batch));
        return Job.CancelRequested ? AttemptLease.Cancelled : AttemptLease.Held; // the device may not have heard of it
    }

    public async Task EndAsync(int epoch, JobState state, byte[] failure)
    {
        if (Holds(epoch))
        {
            await EndAsync(state, failure);
        }
    }

    public async Task ReleaseAsync(int epoch)
    {
        if (Holds(epoch))
        {
            if (Job.CancelRequested)
            {
                await EndAsync(JobState.Cancelled, Refusals.JobCancelled(Id));
                return;
            }

            await WaitAgainAsync();
        }
    }

    public async Task<JobState> LostAsync()
    {
        if (Job.State == JobState.Running)
        {
            Job.Step = await LastStepAsync();
            logger.JobLost(Id, Job.Step);
            if (Job.CancelRequested)
            {
                await EndAsync(JobState.Cancelled, Refusals.JobCancelled(Id));
            }
            else if (Job.LastCrashStep == Job.Step)
            {
                await EndAsync(JobState.Failed, Refusals.JobQuarantined(Id, Job.Step));
            }
            else
            {
                Job.LastCrashStep = Job.Step;
                await WaitAgainAsync();
            }
        }

        return Job.State;
    }

    public async Task WithdrawnAsync()
    {
        if (Job.State == JobState.Queued || Job is { State: JobState.Running, CancelRequested: true })
        {
            await EndAsync(JobState.Cancelled, Refusals.JobCancelled(Id));
        }
    }

    public async Task<JobRecord> CancelAsync()
    {
        if (Job.State == JobState.Queued)
        {
            await EndAsync(JobState.Cancelled, Refusals.JobCancelled(Id));
        }
        else if (Job.State == JobState.Running && !Job.CancelRequested)
        {
            Job.CancelRequested = true;
            if (_device is not null)
            {
                await _device.CancelAsync(Id);
            }

            await Writer.NoteAsync(); // after the device has heard of it: it stops within a step also on a slow disk
        }

        return Job with
        { };
    }

    public async Task PlaceAsync(QueuePlace place)
    {
        if (Job.State == JobState.Queued && _place != place)
        {
            _place = place;
            await Watchers.Notify(watcher => watcher.PlacedAsync(Id, place));
        }
    }

    public Task<JobView> SubscribeAsync(IJobObserver observer)
    {
        Watchers.Subscribe(observer, observer);
        return Task.FromResult(View());
    }

    public async Task DeleteAsync()
    {
        Writer.Forget();
        await stored.ClearStateAsync();
        folder.Delete(Id);
        DeactivateOnIdle();
    }

    private Task CommitAsync(JobRecord next)
    {
        var before = Job;
        stored.State = next;
        return Writer.CommitAsync(() => stored.State = before);
    }

    // Not before: a killed server would look for the request of a job that it does not know to be over.
    private void Written()
    {
        if (Job.IsOver)
        {
            folder.DeleteRequest(Id);
        }
    }

    private async Task<int> LastStepAsync()
    {
        try
        {
            return await Task.Run(() => folder.LastStep(Id));
        }
        catch (DtiException)
        {
            return Job.Step; // the storage of the cluster does not answer, and this is the newest that was published
        }
    }

    private bool Holds(int epoch) => Job.State == JobState.Running && Job.Epoch == epoch;

    private JobView View() => new(Job with { }, _place);

    private Task WaitAgainAsync()
    {
        Job.State = JobState.Queued;
        Release();
        return Writer.NoteAsync();
    }

    private void Release()
    {
        _device = null;
        DelayDeactivation(TimeSpan.Zero);
    }

    private Task EndAsync(JobState state, DtiException failure) =>
        EndAsync(state, StatusMapper.StatusOf(failure).ToByteArray());

    /// <exception cref="StateUnwrittenException">The database of the cluster does not answer, and the job is not over:
    /// the next activation of this grain, maybe on another host, would not know of its end.</exception>
    private async Task EndAsync(JobState state, byte[] failure)
    {
        var ended = Job with { State = state, Ended = time.GetUtcNow(), Failure = failure };
        if (folder.IsShared)
        {
            await CommitAsync(ended);
            Written();
        }
        else
        {
            stored.State = ended;
            await Writer.NoteAsync();
        }

        Release();
        logger.JobEnded(Id, state.ToString());
        await Watchers.Notify(watcher => watcher.OverAsync(Id, View()));
        Watchers.Clear();
    }
}
