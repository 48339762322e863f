namespace Dti.Server.Jobs.Grains;

/// <summary>The places that waiting jobs were told of last.</summary>
/// <param name="time">A monotonic clock.</param>
/// <param name="repeatAfter">After which time a job is told of the same place again.</param>
internal sealed class PlaceNotices(TimeProvider time, TimeSpan repeatAfter)
{
    private readonly Dictionary<string, (QueuePlace Place, long At)> _last = new(StringComparer.Ordinal);

    /// <summary>Whether a job is to be told of its place, and not of nearly the same as a moment ago.</summary>
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

    /// <summary>Forgets a job, which waits no more.</summary>
    public void Forget(string jobId) => _last.Remove(jobId);
}
