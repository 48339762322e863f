namespace Dti.Server.Jobs.Grains;

/// <summary>Estimates when waiting jobs start, from what a step of each kind of job took lately.</summary>
internal sealed class StartEstimates
{
    private static readonly TimeSpan _longestRemaining = TimeSpan.FromDays(365); // nobody is given a later start
    private readonly Dictionary<string, int> _steps = new(StringComparer.Ordinal); // done, by job

    /// <summary>Notes the steps that running jobs have done.</summary>
    public void Progress(IReadOnlyDictionary<string, int> steps)
    {
        foreach (var (jobId, step) in steps)
        {
            _steps[jobId] = step;
        }
    }

    /// <summary>Steps that a running job has done.</summary>
    public int StepsOf(string jobId) => _steps.GetValueOrDefault(jobId);

    /// <summary>Forgets a job.</summary>
    public void Forget(string jobId) => _steps.Remove(jobId);

    /// <summary>Notes what a step of a kind of job took, averaged with what was known.</summary>
    /// <param name="stepSeconds">Seconds by kind; changed.</param>
    /// <param name="kind">The kind.</param>
    /// <param name="seconds">What a step took.</param>
    public static void Learn(Dictionary<int, double> stepSeconds, V1.JobKind kind, double seconds) =>
        stepSeconds[(int)kind] = stepSeconds.TryGetValue((int)kind, out var before) ? (before + seconds) / 2 : seconds;

    /// <summary>The places of waiting jobs.</summary>
    /// <param name="running">Jobs that run.</param>
    /// <param name="waiting">Jobs that wait, in the order in which they start.</param>
    /// <param name="stepSeconds">Seconds that a step took lately, by kind.</param>
    /// <param name="now">The time.</param>
    public IEnumerable<(QueueEntry Entry, QueuePlace Place)> Places(
        IReadOnlyCollection<QueueEntry> running,
        IEnumerable<QueueEntry> waiting,
        IReadOnlyDictionary<int, double> stepSeconds,
        DateTimeOffset now
    )
    {
        var start = running.Count == 0 ? now : Add(now, running.Min(entry => Remaining(entry, stepSeconds)));
        foreach (var (ahead, entry) in waiting.Index())
        {
            yield return (entry, new QueuePlace(ahead + (running.Count > 0 ? 1 : 0), start));
            start = Add(start, Remaining(entry, stepSeconds));
        }
    }

    /// <summary>What a job still takes; null: no job of its kind has ended, or it takes too long to be told.</summary>
    private TimeSpan? Remaining(QueueEntry entry, IReadOnlyDictionary<int, double> stepSeconds) =>
        stepSeconds.TryGetValue((int)entry.Ticket.Kind, out var seconds)
        && seconds * Math.Max(0, entry.Ticket.TotalSteps - _steps.GetValueOrDefault(entry.Ticket.JobId)) is var left
        && left < _longestRemaining.TotalSeconds
            ? TimeSpan.FromSeconds(left)
            : null;

    /// <summary>In whole seconds.</summary>
    private static DateTimeOffset? Add(DateTimeOffset? start, TimeSpan? remaining) =>
        start + remaining is { } sum
            ? new DateTimeOffset(sum.Ticks - (sum.Ticks % TimeSpan.TicksPerSecond), sum.Offset)
            : null;
}
