using System.Runtime.CompilerServices;
using Dti.Server.Errors;
using Dti.Server.Jobs.Grains;
using Dti.Server.Jobs.Storage;
using Google.Protobuf;

namespace Dti.Server.Jobs;

/// <summary>
/// The events of a job that is watched through this process. One subscription serves any number of watchers, each at
/// its own pace: the newest events are in memory, older ones are read from the job's log, and a slow watcher delays
/// nobody.
/// </summary>
internal sealed class JobFeed(JobTicket ticket, IEventLog log)
{
    private const int Recent = 256; // events in memory
    private const int MaxLag = 1024; // events that a watcher may lag behind before droppable ones are left out
    private readonly Lock _lock = new();
    private readonly LinkedList<(int Step, IMessage Message)> _recent = [];
    private TaskCompletionSource _changed = NewSignal();
    private long _next; // number of the next event
    private QueuePlace? _place;
    private int _placed; // times that the place changed
    private JobRecord? _over;
    private bool _stopped;

    /// <summary>Watchers now; guarded by <see cref="JobFeeds"/>.</summary>
    public int Watchers { get; set; }

    /// <summary>Events came.</summary>
    public void Add(EventBatch batch)
    {
        CatchUp(batch.First); // if a batch got lost; the log has every event
        Change(() =>
        {
            foreach (var (number, jobEvent) in batch.Events.Index())
            {
                AddNext(batch.First + number, jobEvent);
            }
        });
    }

    /// <summary>The job's place in the queue changed.</summary>
    public void UpdatePlace(QueuePlace place) => Change(() => (_place, _placed) = (place, _placed + 1));

    /// <summary>
    /// Takes over what the job's grain says when a subscription begins or is renewed, and when the job is over.
    /// </summary>
    public void Update(JobView view)
    {
        int placed;
        lock (_lock)
        {
            placed = _placed;
        }

        CatchUp(long.MaxValue);
        Change(() =>
        {
            // a place or an end that came while the log was read is newer than the view
            if (view.Place is not null && view.Place != _place && placed == _placed)
            {
                (_place, _placed) = (view.Place, _placed + 1);
            }

            _over = view.Record.IsOver ? view.Record : _over;
        });
    }

    /// <summary>The server stops: the streams of watchers end with UNAVAILABLE.</summary>
    public void Stop() => Change(() => _stopped = true);

    /// <summary>
    /// All events from a step on: what has been, then what comes, each once and in order. The result comes when the job
    /// is over: who hears of it may ask for all that comes after, another training of that concept for one.
    /// </summary>
    /// <exception cref="StatusException">The job failed or was cancelled; after all events.</exception>
    /// <exception cref="Dti.Engine.DtiException">The server stops; after all events.</exception>
    public async IAsyncEnumerable<IMessage> ReadAsync(
        int fromStep,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        long next = 0;
        var (placed, following) = (0, false);
        IMessage? result = null;
        while (true)
        {
            var seen = Capture(next);
            if (seen.Place is not null && seen.Placed != placed && next > 0 && seen.Over is null)
            {
                placed = seen.Placed;
                if (seen.Events.Count == 0 && next == seen.Next)
                {
                    yield return EventMessages.Queued(ticket.Kind, seen.Place);
                }
            }

            var behind = seen.Next - next;
            var events = behind > seen.Events.Count ? FromLog(next, seen.Next) : seen.Events;
            if (following && behind > MaxLag)
            {
                events = WithoutDroppable(events);
            }

            foreach (var (step, message) in events)
            {
                if (EventMessages.IsResult(message))
                {
                    result = message;
                }
                else if (step == 0 || step >= fromStep)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return message;
                }
            }

            next = seen.Next;
            if (behind > 0)
            {
                following = following || behind <= seen.Events.Count;
                continue; // more may have come while those were sent
            }

            following = true;
            if ((seen.Over is not null || seen.IsStopped) && result is not null)
            {
                yield return result;
            }

            if (seen.Over is { } over)
            {
                if (over.FailureStatus is { } failure)
                {
                    throw new StatusException(failure);
                }

                yield break;
            }

            if (seen.IsStopped)
            {
                throw Refusals.ServerStopping();
            }

            await seen.Changed.WaitAsync(cancellationToken);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Of progress the newest, of previews none, of everything else all.
    private static IEnumerable<(int Step, IMessage Message)> WithoutDroppable(
        IEnumerable<(int Step, IMessage Message)> events
    )
    {
        (int, IMessage)? newest = null;
        foreach (var jobEvent in events)
        {
            if (!EventMessages.IsDroppable(jobEvent.Message))
            {
                yield return jobEvent;
            }
            else if (jobEvent.Message is not V1.TrainResponse { Preview: not null })
            {
                newest = jobEvent;
            }
        }

        if (newest is { } last)
        {
            yield return last;
        }
    }

    private Snapshot Capture(long next)
    {
        lock (_lock)
        {
            var missing = _next - next;
            IReadOnlyList<(int, IMessage)> events = missing <= 0 || missing > _recent.Count ? [] : Newest((int)missing);
            return new Snapshot(events, _next, _place, _placed, _over, _stopped, _changed.Task);
        }
    }

    // From the end: every watcher comes here for every event.
    private (int Step, IMessage Message)[] Newest(int count)
    {
        var events = new (int, IMessage)[count];
        for (var node = _recent.Last; count > 0; node = node!.Previous)
        {
            events[--count] = node!.Value;
        }

        return events;
    }

    private IEnumerable<(int Step, IMessage Message)> FromLog(long from, long to)
    {
        foreach (var jobEvent in log.Read(from).Take(checked((int)(to - from))))
        {
            from++;
            yield return (jobEvent.Step, jobEvent.Parse(ticket.Kind));
        }

        if (from < to)
        {
            throw Refusals.NotFound("job", ticket.JobId, []); // forgotten meanwhile, its log with it
        }
    }

    /// <summary>
    /// Adds events of the log up to a number. The log is read outside of the lock: its storage may be slow, and
    /// watchers get what is in memory meanwhile. Several threads may read it at once.
    /// </summary>
    private void CatchUp(long to)
    {
        long number;
        lock (_lock)
        {
            number = _next;
        }

        if (number >= to)
        {
            return;
        }

        foreach (var jobEvent in log.Read(number))
        {
            if (number == to)
            {
                return;
            }

            Change(() => AddNext(number, jobEvent));
            number++;
        }
    }

    /// <summary>Adds an event unless it is there already, or one before it is missing.</summary>
    private void AddNext(long number, JobEvent jobEvent)
    {
        if (number != _next)
        {
            return;
        }

        _recent.AddLast((jobEvent.Step, jobEvent.Parse(ticket.Kind)));
        if (_recent.Count > Recent)
        {
            _recent.RemoveFirst();
        }

        _next++;
    }

    private void Change(Action change)
    {
        TaskCompletionSource signal;
        lock (_lock)
        {
            change();
            signal = _changed;
            _changed = NewSignal();
        }

        signal.SetResult();
    }

    /// <summary>The feed at one moment, as a watcher sees it.</summary>
    /// <param name="Events">The events that the watcher has not seen; empty if they are not all in memory.</param>
    /// <param name="Next">The number of the next event.</param>
    /// <param name="Place">The job's place in the queue; null: none is known.</param>
    /// <param name="Placed">How often the place has changed.</param>
    /// <param name="Over">The job's record once it is over.</param>
    /// <param name="IsStopped">Whether the server stops.</param>
    /// <param name="Changed">Ends at the next change.</param>
    private sealed record Snapshot(
        IReadOnlyList<(int Step, IMessage Message)> Events,
        long Next,
        QueuePlace? Place,
        int Placed,
        JobRecord? Over,
        bool IsStopped,
        Task Changed
    );
}
