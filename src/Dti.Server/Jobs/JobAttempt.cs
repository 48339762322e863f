using System.Threading.Channels;
using Dti.Server.Jobs.Grains;
using Dti.Server.Jobs.Storage;
using Dti.Server.Telemetry;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>
/// The attempt has lost its job: it was given to another process, whose events and files count from then on.
/// </summary>
internal sealed class JobLostException(string jobId) : Exception($"Another process has taken over job {jobId}.");

/// <summary>One start of a job on a device: writes the job's log, tells the grain, and hears when to stop.</summary>
internal sealed class JobAttempt : IDisposable
{
    private const long MostUnwritten = 64 << 20; // bytes of events that a full disk may leave in memory
    private static readonly TimeSpan _retryAfter = TimeSpan.FromMilliseconds(500);
    private readonly JobFolder _folder;
    private readonly IJobGrain _grain;
    private readonly ILogger _logger;
    private readonly EventWriter _log;
    private readonly long _before; // events of earlier attempts
    private readonly HashSet<string> _written = new(StringComparer.Ordinal);
    private readonly Queue<(int Step, IMessage Message)> _unwritten = [];
    private readonly Channel<(long Number, JobEvent Event)> _told = Channel.CreateUnbounded<(long, JobEvent)>(
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
        foreach (var happened in folder.Events(ticket.JobId).Read(0))
        {
            var message = EventMessages.Parse(ticket.Kind, happened.Message);
            _written.Add(EventMessages.Key(happened.Step, message));
            HasResult = HasResult || EventMessages.IsResult(message);
            _step = Math.Max(_step, happened.Step);
            _before++;
        }

        _log = folder.Events(ticket.JobId).OpenWriter(epoch, _before);
        _telling = Task.Run(TellAsync);
    }

    /// <summary>The job.</summary>
    public JobTicket Ticket { get; }

    /// <summary>Which start of the job this is, from 1.</summary>
    public int Epoch { get; }

    /// <summary>Steps done, by any attempt.</summary>
    public int Step => Volatile.Read(ref _step);

    /// <summary>Whether an earlier attempt told the result, and was killed before it could end the job.</summary>
    public bool HasResult { get; }

    /// <summary>Asks the job to stop.</summary>
    public CancellationToken Token { get; }

    /// <summary>The caller has cancelled the job.</summary>
    public bool IsCancelled { get; private set; }

    /// <summary>Another process has the job.</summary>
    public bool IsLost { get; private set; }

    /// <summary>What earlier attempts told, with the step of each; as it is kept.</summary>
    /// <exception cref="IOException">The log cannot be read.</exception>
    public IEnumerable<(int Step, IMessage Message)> Earlier() =>
        _folder
            .Events(Ticket.JobId)
            .Read(0)
            .Take((int)_before)
            .Select(happened => (happened.Step, EventMessages.Parse(Ticket.Kind, happened.Message)));

    /// <summary>Asks the job to stop because its caller wants that.</summary>
    public void Cancel()
    {
        IsCancelled = true;
        Stop();
    }

    /// <summary>Asks the job to stop; it goes on later.</summary>
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

    /// <summary>To be called before anything is put in its place that the job leaves behind.</summary>
    /// <exception cref="JobLostException">Another process has the job.</exception>
    public void EnsureHeld()
    {
        if (IsLost || !_folder.Events(Ticket.JobId).IsNewest(Epoch))
        {
            throw new JobLostException(Ticket.JobId);
        }
    }

    /// <summary>
    /// Writes an event to the log, as it is kept there, and tells it whole. One that an earlier attempt wrote already
    /// is left out. While the disk is full, events wait in memory for room, in their order, and the job goes on.
    /// </summary>
    /// <exception cref="IOException">The disk is full, and too much waits already.</exception>
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
        catch (IOException error) when (_unwrittenBytes < MostUnwritten)
        {
            if (_unwritten.Count == 1)
            {
                _logger.EventsUnwritten(Ticket.JobId, error.Message);
            }
        }
    }

    /// <summary>
    /// Writes and tells what has waited for room. To be called by the thread that reports, before anything counts that
    /// comes after those events.
    /// </summary>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Flush()
    {
        while (_unwritten.TryPeek(out var next))
        {
            var (step, message) = next;
            var number = _log.Next;
            var kept = EventMessages.Kept(message);
            var happened = _log.Append(step, kept);
            _unwritten.Dequeue();
            _unwrittenBytes -= message.CalculateSize();
            _told.Writer.TryWrite(
                (number, ReferenceEquals(kept, message) ? happened : new JobEvent(step, message.ToByteArray()))
            );
        }
    }

    /// <summary>Waits until all events are told, then ends the job.</summary>
    /// <param name="state">Succeeded, failed or cancelled.</param>
    /// <param name="failure">Why it did not succeed; null: it did.</param>
    public async Task EndAsync(JobState state, Google.Rpc.Status? failure)
    {
        await ToldAsync();
        await InsistAsync(() => _grain.EndAsync(Epoch, state, failure?.ToByteArray() ?? []));
    }

    /// <summary>Waits until all events are told, then puts the job back into the queue.</summary>
    public async Task ReleaseAsync()
    {
        await ToldAsync();
        await _grain.ReleaseAsync(Epoch);
    }

    public void Dispose()
    {
        _told.Writer.TryComplete();
        _log.Dispose();
        _cancellation.Dispose();
    }

    private Task ToldAsync()
    {
        try
        {
            Flush();
        }
        catch (IOException)
        {
            // The job did not succeed; how it ended is what is left to say.
        }

        _told.Writer.TryComplete();
        return _telling;
    }

    private async Task TellAsync()
    {
        while (await _told.Reader.WaitToReadAsync())
        {
            var events = new List<JobEvent>();
            long first = -1;
            while (events.Count < 256 && _told.Reader.TryRead(out var next))
            {
                first = first < 0 ? next.Number : first;
                events.Add(next.Event);
            }

            var batch = new EventBatch(first, events, events.Max(happened => happened.Step));
            var hold = JobHold.Held;
            await InsistAsync(async () => hold = await _grain.PublishAsync(Epoch, batch));
            if (hold == JobHold.Lost)
            {
                IsLost = true;
                Stop();
            }
            else if (hold == JobHold.Cancelled)
            {
                Cancel();
            }
        }
    }

    // A call that failed may have been heard: to be told twice does no harm, events are numbered.
    private async Task InsistAsync(Func<Task> call)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await call();
                return;
            }
            catch (Exception error) when (attempt < 20 && !IsLost)
            {
                _logger.GrainSilent(Ticket.JobId, error.Message);
                await Task.Delay(_retryAfter);
            }
        }
    }
}
