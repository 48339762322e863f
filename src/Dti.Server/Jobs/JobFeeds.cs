using System.Runtime.CompilerServices;
using Dti.Server.Jobs.Grains;
using Dti.Server.Jobs.Storage;
using Dti.Server.Telemetry;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>The feeds of this process: each job that someone here watches is subscribed to once.</summary>
internal sealed class JobFeeds(JobSilo silo, JobFolder folder, ILogger<JobFeeds> logger) : IJobObserver
{
    // a lost notice is made good then at the latest
    private static readonly TimeSpan _renewEvery = TimeSpan.FromSeconds(20);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (JobFeed Feed, Task Follows, CancellationTokenSource End)> _feeds = new(
        StringComparer.Ordinal
    );
    private IJobObserver? _self; // what grains know this process by
    private bool _stopped;

    /// <summary>The events of a job from a step on, then those to come.</summary>
    /// <exception cref="Dti.Engine.DtiException">There is no such job; or, after all events, it failed or was
    /// cancelled.</exception>
    public async IAsyncEnumerable<IMessage> WatchAsync(
        JobTicket ticket,
        int fromStep,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var feed = Enter(ticket, out var follows);
        try
        {
            await follows.WaitAsync(cancellationToken);
            await foreach (var message in feed.ReadAsync(fromStep, cancellationToken))
            {
                yield return message;
            }
        }
        finally
        {
            Leave(ticket.JobId);
        }
    }

    /// <summary>Whether the server stops.</summary>
    public bool IsStopped
    {
        get
        {
            lock (_lock)
            {
                return _stopped;
            }
        }
    }

    /// <summary>The server stops: all watchers are notified.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _stopped = true;
            foreach (var (feed, _, _) in _feeds.Values)
            {
                feed.Stop();
            }
        }
    }

    Task IJobObserver.EventsAsync(string jobId, EventBatch batch) => Notify(jobId, feed => feed.Add(batch));

    Task IJobObserver.PlacedAsync(string jobId, QueuePlace place) => Notify(jobId, feed => feed.UpdatePlace(place));

    Task IJobObserver.OverAsync(string jobId, JobView view) => Notify(jobId, feed => feed.Update(view));

    private Task Notify(string jobId, Action<JobFeed> change)
    {
        JobFeed? feed;
        lock (_lock)
        {
            feed = _feeds.TryGetValue(jobId, out var known) ? known.Feed : null;
        }

        if (feed is not null)
        {
            change(feed);
        }

        return Task.CompletedTask;
    }

    private JobFeed Enter(JobTicket ticket, out Task follows)
    {
        lock (_lock)
        {
            if (!_feeds.TryGetValue(ticket.JobId, out var known))
            {
                var feed = new JobFeed(ticket, folder.Events(ticket.JobId));
                var end = new CancellationTokenSource();
                var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (_stopped)
                {
                    feed.Stop();
                }

                _ = FollowAsync(ticket.JobId, feed, first, end.Token);
                known = (feed, first.Task, end);
                _feeds.Add(ticket.JobId, known);
            }

            known.Feed.Watchers++;
            follows = known.Follows;
            return known.Feed;
        }
    }

    private void Leave(string jobId)
    {
        lock (_lock)
        {
            if (_feeds.TryGetValue(jobId, out var known) && --known.Feed.Watchers == 0)
            {
                _feeds.Remove(jobId);
                known.End.Cancel();
                known.End.Dispose();
            }
        }
    }

    /// <summary>Subscribes, and again every few seconds as long as someone watches.</summary>
    private async Task FollowAsync(string jobId, JobFeed feed, TaskCompletionSource first, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                var self = _self ??= (await silo.GrainsAsync()).CreateObjectReference<IJobObserver>(this);
                feed.Update(await (await silo.JobAsync(jobId)).SubscribeAsync(self));
                first.TrySetResult();
            }
            catch (Exception error)
            {
                if (!first.TrySetException(error))
                {
                    // the log has what is missed; the next renewal may succeed
                    logger.FeedInterrupted(jobId, error.Message);
                }
            }

            await Task.Delay(_renewEvery, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
