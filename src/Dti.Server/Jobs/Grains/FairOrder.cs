namespace Dti.Server.Jobs.Grains;

/// <summary>
/// Fair order of queued jobs: interactive jobs before trainings, but one training after each interactive job, so that
/// none starves; within a kind, the caller that was served longest ago, and of their jobs the oldest.
/// </summary>
internal sealed class FairOrder
{
    // by caller: the turn at which they were served last
    private readonly Dictionary<string, long> _served = new(StringComparer.Ordinal);
    private long _turn;
    private bool _trainingNext;

    /// <summary>The next job; null: none may start.</summary>
    /// <param name="waiting">All queued jobs, oldest first.</param>
    /// <param name="duringTraining">A training is running, so that only a job that can run between its steps is
    /// wanted.</param>
    public QueueEntry? Next(IEnumerable<QueueEntry> waiting, bool duringTraining)
    {
        var turns = All(waiting);
        return duringTraining ? turns.FirstOrDefault(entry => entry.Ticket.IsInteractive && !entry.Alone)
            : _trainingNext ? turns.FirstOrDefault(entry => !entry.Ticket.IsInteractive) ?? turns.FirstOrDefault()
            : turns.FirstOrDefault();
    }

    /// <summary>Notes that a job is started.</summary>
    public void Serve(QueueEntry entry)
    {
        _served[entry.Ticket.Caller] = ++_turn;
        _trainingNext = entry.Ticket.IsInteractive;
    }

    /// <summary>All queued jobs, in the order in which they would start if no other job were submitted.</summary>
    public IEnumerable<QueueEntry> All(IEnumerable<QueueEntry> waiting) =>
        waiting // round robin: each caller's first job, then each one's second, and so on
            .GroupBy(entry => (entry.Ticket.Caller, entry.Ticket.IsInteractive))
            .SelectMany(own =>
                own.Index().Select(job => (job.Item, Round: job.Index, Last: _served.GetValueOrDefault(own.Key.Caller)))
            )
            .OrderByDescending(job => job.Item.Ticket.IsInteractive)
            .ThenBy(job => job.Round)
            .ThenBy(job => job.Last)
            .Select(job => job.Item);
}
