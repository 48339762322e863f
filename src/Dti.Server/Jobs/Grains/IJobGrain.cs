using Dti.V1;
using Google.Protobuf;
using Orleans.Concurrency;

namespace Dti.Server.Jobs.Grains;

/// <summary>The state, attempts and watchers of one job. It computes nothing; the key is the job's id.</summary>
[Alias("dti.job")]
internal interface IJobGrain : IGrainWithStringKey
{
    /// <summary>Creates the job in the state QUEUED.</summary>
    [Alias("create")]
    Task CreateAsync(JobTicket ticket);

    /// <summary>The job's record; without a ticket there is no such job.</summary>
    [Alias("get")]
    Task<JobRecord> GetAsync();

    /// <summary>Begins an attempt.</summary>
    /// <param name="device">Is called when the job is to stop.</param>
    /// <returns>The attempt's epoch; 0: the job is not to be started, as it is over or was cancelled.</returns>
    [Alias("start")]
    Task<int> StartAsync(IDeviceObserver device);

    /// <summary>Publishes events that an attempt has written to the job's log to the job's watchers.</summary>
    /// <param name="epoch">The attempt.</param>
    /// <param name="batch">The events.</param>
    /// <returns>Whether the attempt is to continue.</returns>
    [Alias("publish")]
    Task<AttemptLease> PublishAsync(int epoch, EventBatch batch);

    /// <summary>Ends the job. A call from an attempt that has lost its lease has no effect.</summary>
    /// <param name="epoch">The attempt.</param>
    /// <param name="state">Succeeded, failed or cancelled.</param>
    /// <param name="failure">Serialized <c>google.rpc.Status</c>; empty: none.</param>
    /// <exception cref="Storage.StateUnwrittenException">The database of the cluster does not answer: the job is not
    /// over.</exception>
    [Alias("end")]
    Task EndAsync(int epoch, JobState state, byte[] failure);

    /// <summary>Puts the job back as it was before the attempt, whose device has to stop.</summary>
    [Alias("release")]
    Task ReleaseAsync(int epoch);

    /// <summary>The process that ran the job is gone.</summary>
    /// <returns>The state after it: waiting again, or failed if this happened twice at the same step.</returns>
    [Alias("lost")]
    Task<JobState> LostAsync();

    /// <summary>Cancels the job: at once if it is queued, else within a step.</summary>
    [Alias("cancel")]
    Task<JobRecord> CancelAsync();

    /// <summary>
    /// The job leaves the queue: if it waits there, or its cancellation was requested and its device does not respond,
    /// it is cancelled.
    /// </summary>
    [Alias("withdrawn")]
    Task WithdrawnAsync();

    /// <summary>Publishes the job's position in the queue to its watchers. The queue does not wait for it.</summary>
    [OneWay]
    [Alias("place")]
    Task PlaceAsync(QueuePlace place);

    /// <summary>Begins or renews a subscription, which ends when it is not renewed for a minute.</summary>
    [Alias("subscribe")]
    Task<JobView> SubscribeAsync(IJobObserver observer);

    /// <summary>Deletes the job and its files.</summary>
    [Alias("delete")]
    Task DeleteAsync();
}

/// <summary>Whether an attempt still has the lease of its job.</summary>
[GenerateSerializer]
[Alias("dti.job-hold")]
internal enum AttemptLease
{
    /// <summary>Another attempt has the lease: this one must stop and write nothing more.</summary>
    Lost,

    /// <summary>It has the lease.</summary>
    Held,

    /// <summary>It has the lease, and the job's cancellation was requested.</summary>
    Cancelled,
}

/// <summary>Receives the events of jobs. Events that it misses are read from the log.</summary>
[Alias("dti.job-observer")]
internal interface IJobObserver : IGrainObserver
{
    [OneWay]
    [Alias("events")]
    Task EventsAsync(string jobId, EventBatch batch);

    [OneWay]
    [Alias("placed")]
    Task PlacedAsync(string jobId, QueuePlace place);

    [OneWay]
    [Alias("over")]
    Task OverAsync(string jobId, JobView view);
}

/// <summary>A device that runs jobs.</summary>
[Alias("dti.device-observer")]
internal interface IDeviceObserver : IGrainObserver
{
    [OneWay]
    [Alias("cancel")]
    Task CancelAsync(string jobId);
}

/// <summary>Events as they follow each other in the job's log.</summary>
/// <param name="First">Number of the first, from 0.</param>
/// <param name="Events">The events.</param>
/// <param name="Step">The newest step among them; 0: none.</param>
[GenerateSerializer]
[Immutable]
[Alias("dti.event-batch")]
internal sealed record EventBatch(
    [property: Id(0)] long First,
    [property: Id(1)] IReadOnlyList<JobEvent> Events,
    [property: Id(2)] int Step
);

/// <summary>An event.</summary>
/// <param name="Step">The step it belongs to; 0: none, so that every watcher gets it.</param>
/// <param name="Message">The serialized response.</param>
[GenerateSerializer]
[Immutable]
[Alias("dti.job-event")]
internal sealed record JobEvent([property: Id(0)] int Step, [property: Id(1)] byte[] Message)
{
    [NonSerialized]
    private IMessage? _parsed;

    /// <summary>The response that <see cref="Message"/> was serialized from, in the process that did that.</summary>
    public IMessage Parsed
    {
        init => _parsed = value;
    }

    /// <summary>Serializes a response.</summary>
    public static JobEvent Of(int step, IMessage message) => new(step, message.ToByteArray()) { Parsed = message };

    /// <summary>The response, parsed at most once in each process. Callers share it and leave it as it is.</summary>
    public IMessage Parse(JobKind kind) => _parsed ??= EventMessages.Parse(kind, Message);
}

/// <summary>A position in the queue.</summary>
/// <param name="Position">Jobs ahead.</param>
/// <param name="ExpectedStart">When it is expected to start; null: not known yet.</param>
[GenerateSerializer]
[Immutable]
[Alias("dti.queue-place")]
internal sealed record QueuePlace([property: Id(0)] int Position, [property: Id(1)] DateTimeOffset? ExpectedStart)
{
    private static readonly TimeSpan _near = TimeSpan.FromSeconds(3);

    /// <summary>Whether it differs from another by less than a watcher needs to know.</summary>
    public bool IsNear(QueuePlace other) =>
        Position == other.Position
        && (
            ExpectedStart == other.ExpectedStart
            || (ExpectedStart - other.ExpectedStart is { } apart && apart.Duration() < _near)
        );
}

/// <summary>The state of a job at the beginning of a subscription.</summary>
/// <param name="Record">The job's record.</param>
/// <param name="Place">Its place in the queue; null: it has none.</param>
[GenerateSerializer]
[Immutable]
[Alias("dti.job-view")]
internal sealed record JobView([property: Id(0)] JobRecord Record, [property: Id(1)] QueuePlace? Place);
