using Dti.Server.Telemetry;

namespace Dti.Server.Jobs.Grains;

/// <summary>Measures how long jobs are queued, for the order and the metrics.</summary>
/// <param name="time">A monotonic clock.</param>
internal sealed class WaitingTimes(TimeProvider time)
{
    private readonly Dictionary<string, long> _since = new(StringComparer.Ordinal);

    /// <summary>A job is queued.</summary>
    public void Begin(QueueEntry entry)
    {
        _since[entry.Ticket.JobId] = time.GetTimestamp();
        JobTelemetry.Enqueued(entry.Ticket.Kind);
    }

    /// <summary>How long a job has been queued.</summary>
    public TimeSpan Of(string jobId) =>
        _since.TryGetValue(jobId, out var since) ? time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>A job leaves the queue.</summary>
    /// <param name="entry">The job.</param>
    /// <param name="isStarted">Whether a device starts it.</param>
    public void End(QueueEntry entry, bool isStarted)
    {
        TimeSpan? waited =
            isStarted && _since.TryGetValue(entry.Ticket.JobId, out var since) ? time.GetElapsedTime(since) : null;
        _since.Remove(entry.Ticket.JobId);
        JobTelemetry.Dequeued(entry.Ticket.Kind, waited);
    }
}
