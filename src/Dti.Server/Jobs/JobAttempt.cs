using System.Diagnostics;
using System.Threading.Channels;
using Dti.Server.Jobs.Grains;
using Dti.Server.Jobs.Storage;
using Dti.Server.Libraries;
using Dti.Server.ObjectStorage;
using Dti.Server.Telemetry;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>
/// The attempt has lost its lease: another process runs the job, and only its events and files count.
/// </summary>
internal sealed class JobLostException(string jobId) : Exception($"Another process has taken over job {jobId}.");

/// <summary>
/// One start of a job on a device: writes the job's log, publishes its events through the grain, and is cancelled or
/// stopped by it.
/// </summary>
internal sealed class JobAttempt : IDisposable
{
    private const long MaxUnwrittenBytes = 64 << 20; // bytes of events that a full disk may leave in memory
    private const int MaxCalls = 20; // of a grain that fails
    private static readonly TimeSpan _retryAfter = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _storeAgainAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _storeAtMost = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _storeAtStop = TimeSpan.FromSeconds(5); // the host stops, or the job is cancelled
    private readonly JobFolder _folder;
    private readonly IJobGrain _grain;
    private readonly ILogger _logger;
    private readonly IEventWriter _log;
    private readonly long _before; // events of earlier attempts
    private readonly int _stepBefore; // the last one of these events, of which the grain may not have heard
    private readonly HashSet<string> _written = new(StringComparer.Ordinal);
    private readonly Queue<(int Step, IMessage Message)> _unwritten = [];
    private readonly Channel<(long Number, JobEvent Event)> _unpublished = Channel.CreateUnbounded<(long, JobEvent)>(
        new() { SingleReader = true }
    );
    private readonly CancellationTokenSource _cancellation = new();
    private readonly Task _telling;
    private long _unwrittenBytes;
    private int _step;

    /// <exception cref="IOException">The disk is full.</exception>
    public JobAttempt(JobTicket ticket, int epoch, JobFolder folder, IJobGrain grain, ILogger logger)
    {
        (Ticket, Epoch, _folder, _grain, _logger) = (ticket, epoch, folder, grain, logger);
        Token = _cancellation.Token;
        foreach (var jobEvent in folder.Events(ticket.JobId).Read(0))
        {
            var message = jobEvent.Parse(ticket.Kind);
            _written.Add(EventMessages.Key(jobEvent.Step, message));
            HasResult = HasResult || EventMessages.IsResult(message);
            _step = Math.Max(_step, jobEvent.Step);
            _before++;
        }

        _stepBefore = _step;
        _log = folder.Events(ticket.JobId).OpenWriter(epoch, _before);
        _telling = Task.Run(PublishEventsAsync);
    }

    /// <summary>The job.</summary>
    public JobTicket Ticket { get; }

    /// <summary>Which start of the job this is, from 1.</summary>
    public int Epoch { get; }

    /// <summary>The attempt as the runs know it.</summary>
    public RunAttempt Run => new(Ticket.JobId, Epoch);

    /// <summary>Steps done, by any attempt.</summary>
    public int Step => Volatile.Read(ref _step);

    /// <summary>Whether an earlier attempt wrote the result, and was killed before it could end the job.</summary>
    public bool HasResult { get; }

    /// <summary>Asks the job to stop.</summary>
    public CancellationToken Token { get; }

    /// <summary>The caller has cancelled the job.</summary>
    public bool IsCancelled { get; private set; }

    /// <summary>Another process has the job.</summary>
    public bool IsLost { get; private set; }

    /// <summary>The events of earlier attempts as the log stores them, with the step of each.</summary>
    /// <exception cref="IOException">The log cannot be read.</exception>
    public IEnumerable<(int Step, IMessage Message)> EarlierEvents() =>
        _folder
            .Events(Ticket.JobId)
            .Read(0)
            .Take((int)_before)
            .Select(jobEvent => (jobEvent.Step, jobEvent.Parse(Ticket.Kind)));

    /// <summary>Asks the job to stop because its caller wants that.</summary>
    public void Cancel()
    {
        IsCancelled = true;
        Stop();
    }

    /// <summary>Asks the job to stop; another attempt continues it.</summary>
    public void Stop()
    {
        try
        {
            _cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended.
        }
    }

    /// <summary>
    /// To be called before a result of the job is written to the snapshots, and while nobody else can change the
    /// library, before it is written there.
    /// </summary>
    /// <exception cref="JobLostException">Another process has the job.</exception>
    public void EnsureLease()
    {
        if (IsLost || !_folder.Events(Ticket.JobId).IsNewest(Epoch))
        {
            throw new JobLostException(Ticket.JobId);
        }
    }

    /// <summary>
    /// Writes an event to the log and publishes it. An event that an earlier attempt wrote already is left out. While
    /// the disk is full, events wait in memory, in their order, and the job continues.
    /// </summary>
    /// <exception cref="IOException">The disk is full, and <see cref="MaxUnwrittenBytes"/> wait already.</exception>
    public void Report(int step, IMessage message)
    {
        if (Epoch > 1 && !_written.Add(EventMessages.Key(step, message)))
        {
            return;
        }

        Volatile.Write(ref _step, Math.Max(_step, step));
        _unwritten.Enqueue((step, message));
        _unwrittenBytes += message.CalculateSize();
        try
        {
            Flush();
        }
        catch (IOException error) when (_unwrittenBytes < MaxUnwrittenBytes)
        {
            if (_unwritten.Count == 1)
            {
                _logger.EventsUnwritten(Ticket.JobId, error.Message);
            }
        }
    }

    /// <summary>
    /// Writes and publishes the events that wait in memory. To be called by the thread that reports, before anything
    /// that follows those events takes effect.
    /// </summary>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Flush()
    {
        while (_unwritten.TryPeek(out var next))
        {
            var (step, message) = next;
            var number = _log.Next;
            var stored = EventMessages.Stored(message);
            var jobEvent = _log.Append(step, stored);
            _unwritten.Dequeue();
            _unwrittenBytes -= message.CalculateSize();
            _unpublished.Writer.TryWrite(
                (number, ReferenceEquals(stored, message) ? jobEvent : JobEvent.Of(step, message))
            );
        }
    }

    /// <summary>
    /// Writes the events that wait in memory, and returns when each is where every host finds it. To be called before a
    /// snapshot is written: an attempt that continues from it reports nothing of what was before.
    /// </summary>
    /// <exception cref="IOException">The disk is full.</exception>
    /// <exception cref="Engine.DtiException">The storage of the cluster does not answer.</exception>
    public void Store()
    {
        Flush();
        _log.StoreAsync().WaitFor();
    }

    /// <summary>Waits until all events are published, then ends the job.</summary>
    /// <param name="state">Succeeded, failed or cancelled.</param>
    /// <param name="failure">Why it did not succeed; null: it did.</param>
    public async Task EndAsync(JobState state, Google.Rpc.Status? failure)
    {
        await WaitForPublicationAsync();
        if (HasResult)
        {
            await RetryAsync(() => _grain.PublishAsync(Epoch, new EventBatch(_before, [], _stepBefore)));
        }

        await RetryAsync(() => _grain.EndAsync(Epoch, state, failure?.ToByteArray() ?? []));
    }

    /// <summary>Waits until all events are published, then puts the job back into the queue.</summary>
    public async Task ReleaseAsync()
    {
        await WaitForPublicationAsync();
        await _grain.ReleaseAsync(Epoch);
    }

    public void Dispose()
    {
        _unpublished.Writer.TryComplete();
        _log.Dispose();
        _cancellation.Dispose();
    }

    private TimeSpan LongestWait => Token.IsCancellationRequested ? _storeAtStop : _storeAtMost;

    private Task WaitForPublicationAsync()
    {
        try
        {
            Flush();
        }
        catch (IOException)
        {
            // The job did not succeed; its end is reported without these events.
        }

        _unpublished.Writer.TryComplete();
        return _telling;
    }

    private async Task PublishEventsAsync()
    {
        while (await _unpublished.Reader.WaitToReadAsync())
        {
            var events = new List<JobEvent>();
            long first = -1;
            while (events.Count < 256 && _unpublished.Reader.TryRead(out var next))
            {
                first = first < 0 ? next.Number : first;
                events.Add(next.Event);
            }

            await StoreAsync();
            var batch = new EventBatch(first, events, Math.Max(_stepBefore, events.Max(jobEvent => jobEvent.Step)));
            var hold = AttemptLease.Held;
            await RetryAsync(async () => hold = await _grain.PublishAsync(Epoch, batch));
            if (hold == AttemptLease.Lost)
            {
                IsLost = true;
                Stop();
            }
            else if (hold == AttemptLease.Cancelled)
            {
                Cancel();
            }
        }
    }

    /// <summary>
    /// Waits for the storage of the cluster, for minutes if need be. If it does not answer then, the queue starts
    /// another attempt, which reports the same events.
    /// </summary>
    private async Task StoreAsync()
    {
        var start = Stopwatch.GetTimestamp();
        for (var isReported = false; !IsLost; isReported = true)
        {
            try
            {
                await _log.StoreAsync();
                return;
            }
            catch (Engine.DtiException error)
                when (StorageErrors.IsUnavailable(error) && Stopwatch.GetElapsedTime(start) < LongestWait)
            {
                if (!isReported)
                {
                    _logger.EventsUnwritten(Ticket.JobId, error.Message);
                }

                await Task.Delay(_storeAgainAfter);
            }
        }
    }

    /// <summary>
    /// Repeats a call of the grain that fails. It may have been executed: events are numbered, so that publishing them
    /// twice has no effect. While the database of the cluster does not answer, it is repeated for minutes.
    /// </summary>
    private async Task RetryAsync(Func<Task> call)
    {
        var start = Stopwatch.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await call();
                return;
            }
            catch (Exception error)
                when (!IsLost
                    && (
                        attempt < MaxCalls
                        || (error is StateUnwrittenException && Stopwatch.GetElapsedTime(start) < LongestWait)
                    )
                )
            {
                if (attempt % MaxCalls == 1)
                {
                    _logger.GrainUnresponsive(Ticket.JobId, error.Message);
                }

                await Task.Delay(_retryAfter);
            }
        }
    }
}
