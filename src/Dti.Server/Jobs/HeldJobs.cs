using System.Collections.Concurrent;

namespace Dti.Server.Jobs;

/// <summary>
/// The jobs that a device has leases on: those with an attempt, and the one that it has acquired and not started yet.
/// Thread-safe.
/// </summary>
internal sealed class HeldJobs
{
    private readonly ConcurrentDictionary<string, JobAttempt> _attempts = new(StringComparer.Ordinal);
    private volatile string? _acquired;
    private TaskCompletionSource _released = NewSignal();

    /// <summary>The attempts now.</summary>
    public IReadOnlyCollection<JobAttempt> Attempts => [.. _attempts.Values];

    /// <summary>Ends when the next attempt is removed.</summary>
    public Task Released => Volatile.Read(ref _released).Task;

    /// <summary>The attempt at a job; null: there is none.</summary>
    public JobAttempt? Find(string jobId) => _attempts.GetValueOrDefault(jobId);

    /// <summary>The device has acquired a job, which is held until the scope is disposed of, or as its
    /// attempt.</summary>
    public IDisposable Acquire(string jobId)
    {
        _acquired = jobId;
        return new Acquired(this);
    }

    /// <summary>Adds an attempt.</summary>
    public void Add(JobAttempt attempt) => _attempts[attempt.Ticket.JobId] = attempt;

    /// <summary>Removes an attempt, which is over.</summary>
    public void Remove(JobAttempt attempt)
    {
        _attempts.TryRemove(attempt.Ticket.JobId, out _);
        Interlocked.Exchange(ref _released, NewSignal()).TrySetResult();
    }

    /// <summary>The steps done of all jobs, by their ids.</summary>
    public Dictionary<string, int> Steps()
    {
        var acquired = _acquired; // before the attempts: a job that becomes one meanwhile is in either
        var steps = _attempts.ToDictionary(attempt => attempt.Key, attempt => attempt.Value.Step);
        if (acquired is not null)
        {
            steps.TryAdd(acquired, 0);
        }

        return steps;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Acquired(HeldJobs jobs) : IDisposable
    {
        public void Dispose() => jobs._acquired = null;
    }
}
