namespace Dti.Server.Jobs.Grains;

/// <summary>
/// Delays of jobs that cannot be started, as their grain does not answer: each failure doubles the delay of its job.
/// </summary>
/// <param name="time">A monotonic clock.</param>
/// <param name="shortest">The first delay.</param>
/// <param name="longest">The longest delay.</param>
internal sealed class RetryDelays(TimeProvider time, TimeSpan shortest, TimeSpan longest)
{
    private readonly Dictionary<string, (long Since, TimeSpan Delay)> _delays = new(StringComparer.Ordinal);

    /// <summary>Whether a job has no delay, or its delay has passed.</summary>
    public bool IsDue(string jobId) =>
        !_delays.TryGetValue(jobId, out var last) || time.GetElapsedTime(last.Since) >= last.Delay;

    /// <summary>Delays a job, longer than the last time.</summary>
    public void Extend(string jobId)
    {
        var delay = _delays.TryGetValue(jobId, out var last) ? last.Delay * 2 : shortest;
        _delays[jobId] = (time.GetTimestamp(), delay > longest ? longest : delay);
    }

    /// <summary>Forgets the delays of a job.</summary>
    public void Clear(string jobId) => _delays.Remove(jobId);
}
