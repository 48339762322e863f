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
    ILogger<QueueGrain> logger
) : Grain, IQueueGrain
{
    private const int PlacesTold = 100; // of the first; a far place says little

    // renewals in which a device has not named a job; one may have been on its way when it got it
    private const int TimesUnnamed = 3;

    // of a device; it speaks every few seconds
    private static readonly TimeSpan _longestSilence = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _reapEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _longestRemaining = TimeSpan.FromDays(365); // nobody is told of a later start

    // of a device's call; Orleans gives one 30
    private static readonly TimeSpan _longestWait = TimeSpan.FromSeconds(10);

    // the grain of a job may have been deactivated since, with its position
    private static readonly TimeSpan _tellAgainAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _shortestRest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _longestRest = TimeSpan.FromMinutes(10);
    private readonly DeviceLeases _leases = new(time, _longestSilence, _reapEvery);

    // jobs that wait, though a device may still run them
    private readonly Dictionary<string, (string Device, string Life)> _silent = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _enqueued = new(StringComparer.Ordinal); // jobs that wait, since when

    // jobs whose grain does not answer
    private readonly Dictionary<string, Rest> _resting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _steps = new(StringComparer.Ordinal);
    private readonly FairOrder _order = new();
    private readonly Dictionary<string, (QueuePlace Place, long At)> _told = new(StringComparer.Ordinal); // to jobs
    private QueuePages? _stored;
    private StateWriter<QueueState>? _writer;
    private TaskCompletionSource _changed = NewSignal();

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
                DueTime = _longestSilence,
                Period = _reapEvery,
                Interleave = false,
            }
        );
        foreach (var entry in Waiting)
        {
            Enqueued(entry);
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

        if (Waiting.Count() is var waiting && waiting >= options.MaxQueuedJobs)
        {
            return Refused(
                Refusals.ResourceExhausted(
                    $"The queue is full: {waiting} jobs are waiting.",
                    "QUEUE_FULL",
                    TimeSpan.FromSeconds(30)
                )
            );
        }

        if (
            ticket.Kind == JobKind.Train
            && await RefuseNameAsync(ticket.Name, ticket.Placeholder, ticket.Caller, ticket.Scopes) is { } inTraining
        )
        {
            return new Submitted(null, Refusal: inTraining);
        }

        if (
            quotas.Admit(
                ticket.Caller,
                Waiting.Count(other => other.Ticket.Caller == ticket.Caller),
                ticket.Pictures
            ) is
            { } refusal
        )
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
            await Job(ticket.JobId).DeleteAsync(); // not accepted: nobody will hear of it
            return new Submitted(null, Refusal: error.Refusal);
        }

        Enqueued(Entries[^1]);
        await ChangedAsync();
        await PruneAsync();
        return new Submitted(ticket.JobId);
    }

    public async Task<byte[]?> RefuseNameAsync(string name, string placeholder, string asking, int scopes) =>
        Entries.FirstOrDefault(other =>
            other.Over is null
            && other.Ticket.Kind == JobKind.Train
            && ConceptNames.AreAmbiguous(name, placeholder, other.Ticket.Name, other.Ticket.Placeholder)
        )
            is not { Ticket: var rival }
        || (await Job(rival.JobId).GetAsync()).IsOver
            ? null // its watchers may know before the queue does
            : Bytes(
                !new Caller(asking, (Scopes)scopes).MaySee(rival.Caller)
                    ? CallerConcepts.Taken(name)
                    : Refusals.AlreadyExists(
                        $"Job {rival.JobId} is training a concept '{rival.Name}' already; wait for it, cancel it, or choose another name.",
                        "CONCEPT_IN_TRAINING"
                    )
            );

    public Task<Submitted> FindAsync(string caller, string requestId, string fingerprint) =>
        Task.FromResult(
            Entries
                .FirstOrDefault(entry => entry.Ticket.RequestId == requestId && entry.Ticket.Caller == caller)
                ?.Ticket
                is not { } known
                ? new Submitted(null)
            : known.Fingerprint == fingerprint ? new Submitted(known.JobId, Attached: true)
            : Refused(
                Refusals.FailedPrecondition(
                    $"request_id '{requestId}' was used for another request; choose a new one.",
                    "REQUEST_ID_REUSED"
                )
            )
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
        if (Entries.FirstOrDefault(entry => entry.Ticket.JobId == jobId) is { IsWaiting: true } entry)
        {
            Dequeued(entry, started: false);
            await OverAsync(entry);
            await Job(jobId).WithdrawnAsync();
        }
    }

    public async Task HelloAsync(string device, string life)
    {
        _leases.Hear(device, life);
        await LoseAsync(device, life);
    }

    public async Task<JobTicket?> TakeAsync(string device, string life, bool duringTraining)
    {
        _leases.Hear(device, life);
        if (_order.Next(Waiting.Where(IsAwake), duringTraining) is not { } entry)
        {
            return null;
        }

        _silent.Remove(entry.Ticket.JobId); // who had it goes no further
        (entry.Device, entry.Life) = (device, life);
        await Writer.CommitAsync(() => (entry.Device, entry.Life) = (null, null));
        _order.Serve(entry);
        _told.Remove(entry.Ticket.JobId);
        Dequeued(entry, started: true);
        await ChangedAsync();
        return entry.Ticket;
    }

    public Task WaitAsync(CancellationToken cancellationToken) =>
        Task.WhenAny(_changed.Task, Task.Delay(_longestWait, cancellationToken));

    public Task PingAsync() => Task.CompletedTask;

    public async Task RenewAsync(string device, string life, Dictionary<string, int> steps)
    {
        foreach (var (jobId, step) in steps)
        {
            _steps[jobId] = step;
        }

        var heard = _leases.Hear(device, life);
        await TakeBackAsync(device, life, steps.Keys);
        heard.Unnamed = Entries
            .Where(entry => entry.Device == device && entry.Life == life && !steps.ContainsKey(entry.Ticket.JobId))
            .ToDictionary(
                entry => entry.Ticket.JobId,
                entry => heard.Unnamed.GetValueOrDefault(entry.Ticket.JobId) + 1,
                StringComparer.Ordinal
            );
        await SilenceAsync(entry =>
            entry.Device == device
            && entry.Life == life
            && heard.Unnamed.GetValueOrDefault(entry.Ticket.JobId) >= TimesUnnamed
        );
        await LoseAsync(device, life);
    }

    public async Task FinishedAsync(string jobId, double seconds)
    {
        if (Entries.FirstOrDefault(entry => entry.Ticket.JobId == jobId) is { Over: null } entry)
        {
            if (seconds > 0)
            {
                var kind = (int)entry.Ticket.Kind;
                Stored.State.StepSeconds[kind] = Stored.State.StepSeconds.TryGetValue(kind, out var before)
                    ? (before + seconds) / 2
                    : seconds;
            }

            await OverAsync(entry);
        }
    }

    public async Task PutBackAsync(string jobId, bool alone, bool backOff)
    {
        if (Entries.FirstOrDefault(entry => entry.Ticket.JobId == jobId) is { Over: null } entry)
        {
            if (backOff)
            {
                LetRest(jobId);
            }

            (entry.Device, entry.Life, entry.Alone) = (null, null, entry.Alone || alone);
            Enqueued(entry);
            await Writer.NoteAsync();
            await ChangedAsync();
        }
    }

    private void Enqueued(QueueEntry entry)
    {
        _enqueued[entry.Ticket.JobId] = time.GetTimestamp();
        JobTelemetry.Enqueued(entry.Ticket.Kind);
    }

    private void Dequeued(QueueEntry entry, bool started)
    {
        TimeSpan? waited =
            started && _enqueued.TryGetValue(entry.Ticket.JobId, out var since) ? time.GetElapsedTime(since) : null;
        _enqueued.Remove(entry.Ticket.JobId);
        JobTelemetry.Dequeued(entry.Ticket.Kind, waited);
    }

    private static Submitted Refused(DtiException refusal) => new(null, Refusal: Bytes(refusal));

    private static byte[] Bytes(DtiException refusal) => StatusMapper.StatusOf(refusal).ToByteArray();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private IJobGrain Job(string jobId) => GrainFactory.GetGrain<IJobGrain>(jobId);

    private async Task OverAsync(QueueEntry entry)
    {
        (entry.Device, entry.Life, entry.Over) = (null, null, time.GetUtcNow());
        _steps.Remove(entry.Ticket.JobId);
        _told.Remove(entry.Ticket.JobId);
        _resting.Remove(entry.Ticket.JobId);
        _silent.Remove(entry.Ticket.JobId);
        await Writer.NoteAsync();
        await ChangedAsync();
    }

    private bool IsAwake(QueueEntry entry) =>
        !_resting.TryGetValue(entry.Ticket.JobId, out var rest) || time.GetElapsedTime(rest.Since) >= rest.Pause;

    private void LetRest(string jobId)
    {
        var pause = _resting.TryGetValue(jobId, out var rest) ? rest.Pause * 2 : _shortestRest;
        _resting[jobId] = new Rest(time.GetTimestamp(), pause > _longestRest ? _longestRest : pause);
    }

    /// <summary>
    /// Jobs of devices that have been silent for too long wait again. Devices that began another life have lost theirs.
    /// </summary>
    private async Task ReapAsync()
    {
        _leases.Look();
        await SilenceAsync(entry => _leases.IsSilent(entry.Device!, entry.Life!));
        await LoseAsync(entry => _leases.HasDied(entry.Device!, entry.Life!));
    }

    /// <summary>
    /// Lets jobs wait again whose device does not speak of them. It may be a pause: the device has them still if no
    /// other takes them.
    /// </summary>
    private async Task SilenceAsync(Func<QueueEntry, bool> isSilent)
    {
        foreach (var entry in Entries.Where(entry => entry.Device is not null && isSilent(entry)).ToArray())
        {
            logger.DeviceSilent(entry.Device!, entry.Ticket.JobId);
            _silent[entry.Ticket.JobId] = (entry.Device!, entry.Life!);
            (entry.Device, entry.Life) = (null, null);
            Enqueued(entry);
            await Writer.NoteAsync();
            await ChangedAsync();
        }
    }

    /// <summary>A device that was silent names jobs that it still runs and that no other has taken.</summary>
    private async Task TakeBackAsync(string device, string life, IReadOnlyCollection<string> named)
    {
        foreach (
            var jobId in named
                .Where(jobId => _silent.TryGetValue(jobId, out var before) && before == (device, life))
                .ToArray()
        )
        {
            _silent.Remove(jobId);
            if (Entries.FirstOrDefault(entry => entry.Ticket.JobId == jobId) is { IsWaiting: true } entry)
            {
                (entry.Device, entry.Life) = (device, life);
                Dequeued(entry, started: false);
                await Writer.NoteAsync();
                await ChangedAsync();
            }
        }
    }

    /// <summary>
    /// The jobs of a device's earlier lives are lost, those too with which it was silent before it died.
    /// </summary>
    private Task LoseAsync(string device, string life)
    {
        foreach (
            var (jobId, before) in _silent
                .Where(silent => silent.Value.Device == device && silent.Value.Life != life)
                .ToArray()
        )
        {
            _silent.Remove(jobId);
            if (Entries.FirstOrDefault(entry => entry.Ticket.JobId == jobId) is { IsWaiting: true } entry)
            {
                (entry.Device, entry.Life) = before;
                Dequeued(entry, started: false);
            }
        }

        return LoseAsync(entry => entry.Device == device && entry.Life != life);
    }

    private async Task LoseAsync(Func<QueueEntry, bool> isLost)
    {
        foreach (
            var entry in Entries.Where(entry => entry.Device is not null && IsAwake(entry) && isLost(entry)).ToArray()
        )
        {
            logger.DeviceSilent(entry.Device!, entry.Ticket.JobId);
            JobState state;
            try
            {
                state = await Job(entry.Ticket.JobId).LostAsync();
            }
            catch (Exception error)
            {
                logger.GrainSilent(entry.Ticket.JobId, error.Message);
                LetRest(entry.Ticket.JobId); // the others do not wait for it
                continue;
            }

            _resting.Remove(entry.Ticket.JobId);
            (entry.Device, entry.Life) = (null, null);
            entry.Over = state == JobState.Queued ? null : time.GetUtcNow();
            if (entry.IsWaiting)
            {
                Enqueued(entry);
            }

            await Writer.NoteAsync();
            await ChangedAsync();
        }
    }

    /// <summary>Wakes devices, and tells those who wait where they are.</summary>
    private async Task ChangedAsync()
    {
        var signal = _changed;
        _changed = NewSignal();
        signal.SetResult();

        var running = Entries.Where(entry => entry.Device is not null).ToArray();
        var start = running.Length == 0 ? wall.GetUtcNow() : Plus(wall.GetUtcNow(), running.Min(Remaining));
        foreach (var (ahead, entry) in _order.All(Waiting).Take(PlacesTold).Index())
        {
            await TellAsync(entry.Ticket.JobId, new QueuePlace(ahead + (running.Length > 0 ? 1 : 0), start));
            start = Plus(start, Remaining(entry));
        }
    }

    /// <summary>Tells a job its place, unless it has just heard of the same.</summary>
    private async Task TellAsync(string jobId, QueuePlace place)
    {
        if (
            !_told.TryGetValue(jobId, out var last)
            || !last.Place.IsNear(place)
            || time.GetElapsedTime(last.At) > _tellAgainAfter
        )
        {
            _told[jobId] = (place, time.GetTimestamp());
            await Job(jobId).PlaceAsync(place);
        }
    }

    /// <summary>What a job still takes; null: no job of its kind has told, or too long to be told.</summary>
    private TimeSpan? Remaining(QueueEntry entry) =>
        Stored.State.StepSeconds.TryGetValue((int)entry.Ticket.Kind, out var seconds)
        && seconds * Math.Max(0, entry.Ticket.TotalSteps - _steps.GetValueOrDefault(entry.Ticket.JobId)) is var left
        && left < _longestRemaining.TotalSeconds
            ? TimeSpan.FromSeconds(left)
            : null;

    private static DateTimeOffset? Plus(DateTimeOffset? start, TimeSpan? takes) =>
        start + takes is { } sum
            ? new DateTimeOffset(sum.Ticks - (sum.Ticks % TimeSpan.TicksPerSecond), sum.Offset)
            : null;

    /// <summary>Removes old jobs; the next change of the queue writes this.</summary>
    private async Task PruneAsync()
    {
        var oldest = time.GetUtcNow() - options.JobHistoryAge;
        var over = Entries.Where(entry => entry.Over is not null).ToArray();
        foreach (var entry in over.Where((entry, i) => entry.Over < oldest || i < over.Length - options.JobHistory))
        {
            Entries.Remove(entry);
            try
            {
                await Job(entry.Ticket.JobId).DeleteAsync();
            }
            catch (Exception error)
            {
                logger.GrainSilent(entry.Ticket.JobId, error.Message); // its folder goes when the server starts again
            }
        }
    }

    /// <summary>How long a job is passed over.</summary>
    private sealed record Rest(long Since, TimeSpan Pause);
}
