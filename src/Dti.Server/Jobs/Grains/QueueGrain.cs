using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Errors;
using Dti.Server.Jobs.Storage;
using Dti.Server.Libraries;
using Dti.Server.Security;
using Dti.Server.Telemetry;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Dti.Server.Jobs.Grains;

/// <inheritdoc cref="IQueueGrain"/>
[KeepAlive]
internal sealed class QueueGrain(
    [FromKeyedServices(JobSilo.Storage)] IGrainStorage storage,
    DtiServerOptions options,
    CallerQuotas quotas,
    TimeProvider time,
    [FromKeyedServices(JobSilo.WallClock)] TimeProvider wall,
    ISiloStatusOracle silos,
    ILogger<QueueGrain> logger
) : Grain, IQueueGrain
{
    private const int MaxNotifiedPlaces = 100; // at the head of the queue

    private static readonly TimeSpan _heartbeatTimeout = TimeSpan.FromSeconds(30); // devices send one every few seconds
    private static readonly TimeSpan _reapEvery = TimeSpan.FromSeconds(5);

    // of a device's call; Orleans gives one 30
    private static readonly TimeSpan _longestWait = TimeSpan.FromSeconds(10);

    // the grain of a job may have been deactivated since, with its position
    private static readonly TimeSpan _repeatPlaceAfter = TimeSpan.FromMinutes(1);

    // each change of a long queue moves a hundred jobs, whose grains are told
    private static readonly TimeSpan _placesEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _shortestDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _longestDelay = TimeSpan.FromMinutes(10);
    private readonly QueueAdmission _admission = new(options, quotas);
    private readonly JobHistory _history = new(options);
    private readonly FairOrder _order = new();
    private readonly LeaseTable _leases = new(new DeviceHeartbeats(time, _heartbeatTimeout, _reapEvery));
    private readonly HostTable _hosts = new(new DeviceHeartbeats(time, _heartbeatTimeout, _reapEvery), silo =>
        silos.GetApproximateSiloStatus(silo) is SiloStatus.ShuttingDown or SiloStatus.Stopping or SiloStatus.Dead
    );
    private Placement? _placement;
    private DeviceSignal? _signal;
    private readonly RetryDelays _delays = new(time, _shortestDelay, _longestDelay);
    private readonly StartEstimates _estimates = new();
    private readonly PlaceNotices _notices = new(time, _repeatPlaceAfter);
    private readonly WaitingTimes _waitingTimes = new(time);
    private PacedAction? _places;
    private QueuePages? _stored;
    private StateWriter<QueueState>? _writer;

    private DeviceSignal Devices => _signal ??= new(this, time);

    private PacedAction Places =>
        _places ??= new(PublishPlacesAsync, _placesEvery, (action, delay) => this.RunOnce(action, delay), time);

    private Placement Placement => _placement ??= new(_hosts, options.Cluster.ModelWait, time, settled: 2 * _reapEvery);

    private QueuePages Stored => _stored ??= new(storage, this.GetGrainId());

    private StateWriter<QueueState> Writer => _writer ??= new(this, "the queue", Stored, written: () => { }, logger);

    private List<QueueEntry> Entries => Stored.State.Entries;

    private IEnumerable<QueueEntry> Waiting => Entries.Where(entry => entry.IsWaiting);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await Stored.ReadStateAsync();
        this.RegisterGrainTimer(
            _ => ReapAsync(),
            new GrainTimerCreationOptions
            {
                DueTime = _heartbeatTimeout,
                Period = _reapEvery,
                Interleave = false,
            }
        );
        foreach (var entry in Waiting)
        {
            _waitingTimes.Begin(entry);
        }
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        Writer.EndAsync();

    public async Task<Submitted> SubmitAsync(JobTicket ticket)
    {
        var known =
            ticket.RequestId.Length > 0
                ? await FindAsync(ticket.Caller, ticket.RequestId, ticket.Fingerprint)
                : new Submitted(null);
        if (known != new Submitted(null))
        {
            return known;
        }

        if (_admission.CheckLength(Waiting.Count()) is { } full)
        {
            return Refused(full);
        }

        if (
            ticket.Kind == JobKind.Train
            && await CheckNameAsync(ticket.Name, ticket.Placeholder, ticket.Caller, ticket.Scopes) is { } inTraining
        )
        {
            return new Submitted(null, Refusal: inTraining);
        }

        if ((Placement.Refusal(ticket.Requirements) ?? _admission.CheckQuotas(ticket, Waiting)) is { } refusal)
        {
            return Refused(refusal);
        }

        try
        {
            await Job(ticket.JobId).CreateAsync(ticket);
            var entry = new QueueEntry { Ticket = ticket };
            Entries.Add(entry);
            await Writer.CommitAsync(() => Entries.Remove(entry));
        }
        catch (StateUnwrittenException error)
        {
            await Job(ticket.JobId).DeleteAsync(); // not accepted, so that nobody knows its id
            return new Submitted(null, Refusal: error.Refusal);
        }

        _waitingTimes.Begin(Entries[^1]);
        await ChangedAsync();
        await PruneAsync();
        return new Submitted(ticket.JobId);
    }

    public async Task<byte[]?> CheckNameAsync(string name, string placeholder, string asking, int scopes) =>
        QueueAdmission.TrainingOf(name, placeholder, Entries) is { } rival
        // the job's grain knows of its end before the queue does
        && !(await Job(rival.JobId).GetAsync()).IsOver
            ? Bytes(QueueAdmission.NameInTraining(name, rival, new Caller(asking, (Scopes)scopes)))
            : null;

    public Task<Submitted> FindAsync(string caller, string requestId, string fingerprint) =>
        Task.FromResult(
            QueueAdmission.Find(caller, requestId, fingerprint, Entries) switch
            {
                ({ } known, _) => new Submitted(known.JobId, Attached: true),
                (_, { } refusal) => Refused(refusal),
                _ => new Submitted(null),
            }
        );

    public Task<IReadOnlyList<string>> ListAsync(string? caller) =>
        Task.FromResult<IReadOnlyList<string>>([
            .. Entries
                .AsEnumerable()
                .Reverse()
                .Select(entry => entry.Ticket)
                .Where(ticket => caller is null || ticket.Caller == caller)
                .Select(ticket => ticket.JobId),
        ]);

    public async Task WithdrawAsync(string jobId)
    {
        if (Find(jobId) is { IsWaiting: true } entry)
        {
            await Job(jobId).WithdrawnAsync(); // first: if it fails, the queue still has the job
            _waitingTimes.End(entry, isStarted: false);
            await EndAsync(entry);
        }
    }

    public async Task RegisterAsync(string device, string incarnation)
    {
        _leases.Heartbeat(device, incarnation);
        await RequeueEarlierAsync(device, incarnation);
    }

    public async Task<JobTicket?> AcquireAsync(string device, string incarnation, bool duringTraining)
    {
        _leases.Heartbeat(device, incarnation);
        if (Next(device, duringTraining) is not { } entry)
        {
            return null;
        }

        _leases.Grant(entry, device, incarnation);
        await Writer.CommitAsync(() => _leases.Revoke(entry));
        if (entry.Ticket.Requirements is { } needs)
        {
            _hosts.NoteLoading(device, needs);
        }

        _order.Serve(entry);
        _notices.Forget(entry.Ticket.JobId);
        _waitingTimes.End(entry, isStarted: true);
        await ChangedAsync();
        return entry.Ticket;
    }

    public Task WaitForChangeAsync(CancellationToken cancellationToken) =>
        Devices.WaitAsync(_longestWait, cancellationToken);

    public Task PingAsync() => Task.CompletedTask;

    public async Task RenewAsync(string device, string incarnation, Dictionary<string, int> steps)
    {
        _estimates.Progress(steps);
        _leases.Heartbeat(device, incarnation);
        foreach (var entry in _leases.Restore(device, incarnation, steps.Keys, Entries))
        {
            _waitingTimes.End(entry, isStarted: false);
            await Writer.NoteAsync();
            await ChangedAsync();
        }

        await SuspendAsync(_leases.Unnamed(device, incarnation, steps.Keys, Entries));
        await RequeueEarlierAsync(device, incarnation);
    }

    public Task AnnounceAsync(HostAnnouncement host) => _hosts.Note(host) ? ChangedAsync() : Task.CompletedTask;

    public Task<IReadOnlyList<HostView>> HostsAsync() =>
        Task.FromResult<IReadOnlyList<HostView>>([
            .. _hosts.Alive.Select(host => new HostView(host, [.. host.Devices.SelectMany(JobsOf)])),
        ]);

    private IEnumerable<RunningJob> JobsOf(AnnouncedDevice device) =>
        Entries
            .Where(entry => entry.Device == device.Name)
            .Select(entry => entry.Ticket)
            .Select(ticket => new RunningJob(
                device.Name,
                ticket.JobId,
                ticket.Kind,
                _estimates.StepsOf(ticket.JobId),
                ticket.TotalSteps
            ));

    public async Task CompleteAsync(string jobId, double seconds)
    {
        if (Find(jobId) is { Ended: null } entry)
        {
            if (seconds > 0)
            {
                StartEstimates.Learn(Stored.State.StepSeconds, entry.Ticket.Kind, seconds);
            }

            await EndAsync(entry);
        }
    }

    public async Task RequeueAsync(string jobId, bool alone, bool backOff)
    {
        if (Find(jobId) is { Ended: null } entry)
        {
            if (backOff)
            {
                _delays.Extend(jobId);
            }

            (entry.Device, entry.Incarnation, entry.Alone) = (null, null, entry.Alone || alone);
            _waitingTimes.Begin(entry);
            await Writer.NoteAsync();
            await ChangedAsync();
        }
    }

    /// <summary>
    /// The next job that a device may acquire now; null: there is none, and the device is woken when it may acquire
    /// one.
    /// </summary>
    private QueueEntry? Next(string device, bool duringTraining)
    {
        var delayOf = Placement.DelaysOf(device);
        TimeSpan? shortest = null;
        var next = _order.Next(Waiting, duringTraining, MayAcquire);
        if (next is null && shortest is { } later)
        {
            Devices.NotifyAfter(later);
        }

        return next;

        bool MayAcquire(QueueEntry entry)
        {
            if (!_delays.IsDue(entry.Ticket.JobId))
            {
                return false;
            }

            var delay = delayOf(entry.Ticket.Requirements, _waitingTimes.Of(entry.Ticket.JobId));
            if (delay > TimeSpan.Zero && delay < (shortest ?? TimeSpan.MaxValue))
            {
                shortest = delay;
            }

            return delay == TimeSpan.Zero;
        }
    }

    private static Submitted Refused(DtiException refusal) => new(null, Refusal: Bytes(refusal));

    private static byte[] Bytes(DtiException refusal) => StatusMapper.StatusOf(refusal).ToByteArray();

    private IJobGrain Job(string jobId) => GrainFactory.GetGrain<IJobGrain>(jobId);

    private QueueEntry? Find(string jobId) => Entries.FirstOrDefault(entry => entry.Ticket.JobId == jobId);

    private async Task EndAsync(QueueEntry entry)
    {
        _leases.Revoke(entry);
        entry.Ended = time.GetUtcNow();
        _estimates.Forget(entry.Ticket.JobId);
        _notices.Forget(entry.Ticket.JobId);
        _delays.Clear(entry.Ticket.JobId);
        await Writer.NoteAsync();
        await ChangedAsync();
    }

    /// <summary>
    /// Suspends the leases of devices whose heartbeats are overdue. Devices that began another incarnation have lost
    /// theirs.
    /// </summary>
    private async Task ReapAsync()
    {
        _leases.Tick();
        _hosts.Tick();
        await SuspendAsync(_leases.Overdue(Entries));
        await RequeueLostAsync(_leases.Lost(Entries));
    }

    /// <summary>Queues jobs again whose device does not name them in its heartbeats.</summary>
    private async Task SuspendAsync(IReadOnlyList<QueueEntry> entries)
    {
        foreach (var entry in entries)
        {
            logger.DeviceLostJob(entry.Device!, entry.Ticket.JobId);
            _leases.Suspend(entry);
            _waitingTimes.Begin(entry);
            await Writer.NoteAsync();
            await ChangedAsync();
        }
    }

    /// <summary>
    /// The jobs of a device's earlier incarnations are lost, including those whose leases were suspended before its
    /// crash.
    /// </summary>
    private Task RequeueEarlierAsync(string device, string incarnation)
    {
        foreach (var entry in _leases.RestoreOfEarlier(device, incarnation, Entries))
        {
            _waitingTimes.End(entry, isStarted: false);
        }

        return RequeueLostAsync(Entries.Where(entry => entry.Device == device && entry.Incarnation != incarnation));
    }

    private async Task RequeueLostAsync(IEnumerable<QueueEntry> lost)
    {
        foreach (var entry in lost.Where(entry => _delays.IsDue(entry.Ticket.JobId)).ToArray())
        {
            logger.DeviceLostJob(entry.Device!, entry.Ticket.JobId);
            JobState state;
            try
            {
                state = await Job(entry.Ticket.JobId).LostAsync();
            }
            catch (Exception error)
            {
                logger.GrainUnresponsive(entry.Ticket.JobId, error.Message);
                _delays.Extend(entry.Ticket.JobId); // without delaying the other jobs
                continue;
            }

            _delays.Clear(entry.Ticket.JobId);
            (entry.Device, entry.Incarnation) = (null, null);
            entry.Ended = state == JobState.Queued ? null : time.GetUtcNow();
            if (entry.IsWaiting)
            {
                _waitingTimes.Begin(entry);
            }

            await Writer.NoteAsync();
            await ChangedAsync();
        }
    }

    /// <summary>Wakes devices, and publishes the positions of queued jobs.</summary>
    private Task ChangedAsync()
    {
        Devices.Notify();
        return Places.NotifyAsync();
    }

    private async Task PublishPlacesAsync()
    {
        QueueEntry[] running = [.. Entries.Where(entry => entry.Device is not null)];
        QueueEntry[] waiting = [.. _order.All(Waiting).Take(MaxNotifiedPlaces)];
        foreach (var (entry, place) in _estimates.Places(running, waiting, Stored.State.StepSeconds, wall.GetUtcNow()))
        {
            if (_notices.TryAdd(entry.Ticket.JobId, place))
            {
                await Job(entry.Ticket.JobId).PlaceAsync(place);
            }
        }
    }

    /// <summary>Removes old jobs; the next change of the queue writes this.</summary>
    private async Task PruneAsync()
    {
        foreach (var entry in _history.Expired(Entries, time.GetUtcNow()))
        {
            Entries.Remove(entry);
            try
            {
                await Job(entry.Ticket.JobId).DeleteAsync();
            }
            catch (Exception error)
            {
                // its folder is deleted when the server starts again
                logger.GrainUnresponsive(entry.Ticket.JobId, error.Message);
            }
        }
    }
}
