using Orleans.Concurrency;

namespace Dti.Server.Jobs.Grains;

/// <summary>
/// The queue of a pool: admission, order, leases and history of its jobs. Devices acquire jobs from it; the key is the
/// pool's name.
/// </summary>
[Alias("dti.queue")]
internal interface IQueueGrain : IGrainWithStringKey
{
    /// <summary>Accepts a job, or finds the one with the same request id.</summary>
    [Alias("submit")]
    Task<Submitted> SubmitAsync(JobTicket ticket);

    /// <summary>Finds the job of a caller's request id.</summary>
    [Alias("find")]
    Task<Submitted> FindAsync(string caller, string requestId, string fingerprint);

    /// <summary>
    /// Whether a caller may write a concept of a name: not while a training of that name is queued or running.
    /// </summary>
    /// <param name="name">A concept's name.</param>
    /// <param name="placeholder">Its placeholder; empty: the one of its name.</param>
    /// <param name="asking">The caller.</param>
    /// <param name="scopes">The caller's scopes.</param>
    /// <returns>Serialized <c>google.rpc.Status</c> of the refusal; null: they may.</returns>
    [Alias("check-name")]
    Task<byte[]?> CheckNameAsync(string name, string placeholder, string asking, int scopes);

    /// <summary>Returns if the queue is responsive.</summary>
    [Alias("ping")]
    Task PingAsync();

    /// <summary>Jobs, newest first.</summary>
    /// <param name="caller">The owner of the jobs; null: every owner.</param>
    [Alias("list")]
    Task<IReadOnlyList<string>> ListAsync(string? caller);

    /// <summary>A queued job was cancelled.</summary>
    [Alias("withdraw")]
    Task WithdrawAsync(string jobId);

    /// <summary>
    /// A device begins to acquire jobs. The jobs of its earlier incarnations are lost: they are queued again or
    /// quarantined.
    /// </summary>
    /// <param name="device">The device's name.</param>
    /// <param name="incarnation">The id of this start of its process.</param>
    [Alias("register")]
    Task RegisterAsync(string device, string incarnation);

    /// <summary>The next job for a device.</summary>
    /// <param name="device">The device's name.</param>
    /// <param name="incarnation">The id of this start of its process.</param>
    /// <param name="duringTraining">Whether the device trains, so that only an interactive job is wanted.</param>
    /// <returns>Null: there is none.</returns>
    [Alias("acquire")]
    Task<JobTicket?> AcquireAsync(string device, string incarnation, bool duringTraining);

    /// <summary>
    /// Ends when something may have changed for a device that found nothing, after a few seconds at the latest.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait: a silo that stops would wait for the call.</param>
    [AlwaysInterleave]
    [Alias("wait-for-change")]
    Task WaitForChangeAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The heartbeat of a device, which renews its leases. The jobs of a device whose heartbeats are overdue, and a job
    /// that several heartbeats in a row do not name, are queued again. If the device returns before another one has
    /// acquired them, it continues them. Only a device that begins another incarnation has lost them.
    /// </summary>
    /// <param name="device">The device's name.</param>
    /// <param name="incarnation">The id of this start of its process.</param>
    /// <param name="steps">Steps done of the jobs that it holds, by their ids.</param>
    [Alias("renew")]
    Task RenewAsync(string device, string incarnation, Dictionary<string, int> steps);

    /// <summary>A host tells what it is and what it can run. It repeats this every few seconds.</summary>
    [Alias("announce")]
    Task AnnounceAsync(HostAnnouncement host);

    /// <summary>The hosts of the cluster that are alive, by name; of a single server: none.</summary>
    [Alias("hosts")]
    Task<IReadOnlyList<HostView>> HostsAsync();

    /// <summary>A device's job is over.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="seconds">What a step took; 0: not known.</param>
    [Alias("complete")]
    Task CompleteAsync(string jobId, double seconds);

    /// <summary>A device releases a job, which is queued again.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="alone">Whether it must not run during a training again.</param>
    /// <param name="backOff">Whether it failed to start: it is retried after a delay that grows with each
    /// attempt.</param>
    [Alias("requeue")]
    Task RequeueAsync(string jobId, bool alone, bool backOff);
}

/// <summary>The result of a submission.</summary>
/// <param name="JobId">The job; null: refused, or none was found.</param>
/// <param name="Attached">Whether the job was there already.</param>
/// <param name="Refusal">Serialized <c>google.rpc.Status</c>; null: none.</param>
[GenerateSerializer]
[Immutable]
[Alias("dti.submitted")]
internal sealed record Submitted(
    [property: Id(0)] string? JobId,
    [property: Id(1)] bool Attached = false,
    [property: Id(2)] byte[]? Refusal = null
);

/// <summary>A job in the queue's state.</summary>
[GenerateSerializer]
[Alias("dti.queue-entry")]
internal sealed record QueueEntry
{
    [Id(0)]
    public required JobTicket Ticket { get; init; }

    /// <summary>The device that runs it; null: it waits, or is over.</summary>
    [Id(1)]
    public string? Device { get; set; }

    /// <summary>The incarnation of that device's process.</summary>
    [Id(2)]
    public string? Incarnation { get; set; }

    /// <summary>When it ended; null: it has not.</summary>
    [Id(3)]
    public DateTimeOffset? Ended { get; set; }

    /// <summary>Must not run during a training, because its model did not fit into memory.</summary>
    [Id(4)]
    public bool Alone { get; set; }

    public bool IsWaiting => Device is null && Ended is null;
}

/// <summary>The queue's state; on disk, what is not on pages (<see cref="QueuePages"/>).</summary>
[GenerateSerializer]
[Alias("dti.queue-state")]
internal sealed class QueueState
{
    /// <summary>Every job in the queue or its history, oldest first. On disk it is empty, except in the format before
    /// pages.</summary>
    [Id(0)]
    public List<QueueEntry> Entries { get; set; } = [];

    /// <summary>Recent seconds per step, by kind.</summary>
    [Id(1)]
    public Dictionary<int, double> StepSeconds { get; set; } = [];

    /// <summary>The first page on disk, if it is still there.</summary>
    [Id(2)]
    public int FirstPage { get; set; }

    /// <summary>Number of the page after the last.</summary>
    [Id(3)]
    public int NextPage { get; set; }
}
