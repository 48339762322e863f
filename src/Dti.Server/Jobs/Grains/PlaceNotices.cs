namespace Dti.Server.Jobs.Grains;

/// <summary>The queue positions that were published last.</summary>
/// <param name="time">A monotonic clock.</param>
/// <param name="repeatAfter">After which time the same position is published again.</param>
internal sealed class PlaceNotices(TimeProvider time, TimeSpan repeatAfter)
{
    private readonly Dictionary<string, (QueuePlace Place, long At)> _last = new(StringComparer.Ordinal);

    /// <summary>Whether a job's position is to be published: not if nearly the same was published a moment
    /// ago.</summary>
    public bool TryAdd(string jobId, QueuePlace place)
    {
        if (
            _last.TryGetValue(jobId, out var last)
            && last.Place.IsNear(place)
            && time.GetElapsedTime(last.At) <= repeatAfter
        )
        {
            return false;
        }

        _last[jobId] = (place, time.GetTimestamp());
        return true;
    }

    /// <summary>Removes a job, which has left the queue.</summary>
    public void Forget(string jobId) => _last.Remove(jobId);
}
