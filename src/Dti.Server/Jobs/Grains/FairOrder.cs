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
    /// <param name="mayStart">Whether a job may start now, which is asked of no more jobs than necessary; null: every
    /// job may.</param>
    public QueueEntry? Next(
        IEnumerable<QueueEntry> waiting,
        bool duringTraining,
        Func<QueueEntry, bool>? mayStart = null
    )
    {
        mayStart ??= _ => true;
        var kinds = waiting.ToLookup(entry => entry.Ticket.IsInteractive);
        if (duringTraining)
        {
            return First(kinds[true], entry => !entry.Alone && mayStart(entry));
        }

        return First(kinds[!_trainingNext], mayStart) ?? First(kinds[_trainingNext], mayStart);
    }

    /// <summary>Notes that a job is started.</summary>
    public void Serve(QueueEntry entry)
    {
        _served[entry.Ticket.Caller] = ++_turn;
        _trainingNext = entry.Ticket.IsInteractive;
    }

    /// <summary>All queued jobs, in the order in which they would start if no other job were submitted.</summary>
    public IEnumerable<QueueEntry> All(IEnumerable<QueueEntry> waiting)
    {
        var kinds = waiting.ToLookup(entry => entry.Ticket.IsInteractive);
        return InTurns(kinds[true]).Concat(InTurns(kinds[false]));
    }

    /// <summary>Round robin: each caller's first job, then each one's second, and so on. Only the jobs that are asked
    /// for are put into order, as thousands may wait.</summary>
    private IEnumerable<QueueEntry> InTurns(IEnumerable<QueueEntry> waiting)
    {
        List<QueueEntry[]> callers = [.. ByCaller(waiting).Select(own => own.ToArray())];
        for (var round = 0; callers.Count > 0; round++)
        {
            foreach (var own in callers)
            {
                yield return own[round];
            }

            callers.RemoveAll(own => own.Length == round + 1);
        }
    }

    private QueueEntry? First(IEnumerable<QueueEntry> waiting, Func<QueueEntry, bool> mayStart) =>
        ByCaller(waiting).Select(own => own.FirstOrDefault(mayStart)).FirstOrDefault(found => found is not null);

    /// <summary>The jobs of each caller, first of the one that was served longest ago.</summary>
    private IOrderedEnumerable<IGrouping<string, QueueEntry>> ByCaller(IEnumerable<QueueEntry> waiting) =>
        waiting
            .GroupBy(entry => entry.Ticket.Caller, StringComparer.Ordinal)
            .OrderBy(own => _served.GetValueOrDefault(own.Key));
}
