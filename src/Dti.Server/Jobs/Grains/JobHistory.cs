using Dti.Server.Configuration;

namespace Dti.Server.Jobs.Grains;

/// <summary>Decides which jobs that are over the queue still remembers.</summary>
internal sealed class JobHistory(DtiServerOptions options)
{
    /// <summary>Jobs to forget: the oldest beyond the history's length, and all beyond its age.</summary>
    /// <param name="entries">All jobs, oldest first.</param>
    /// <param name="now">The time.</param>
    public IReadOnlyList<QueueEntry> Expired(IEnumerable<QueueEntry> entries, DateTimeOffset now)
    {
        var oldest = now - options.JobHistoryAge;
        QueueEntry[] ended = [.. entries.Where(entry => entry.Ended is not null)];
        return [.. ended.Where((entry, i) => entry.Ended < oldest || i < ended.Length - options.JobHistory)];
    }
}
