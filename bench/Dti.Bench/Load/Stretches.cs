namespace Dti.Bench.Load;

/// <summary>Stretches of time in which something was so.</summary>
internal sealed class Stretches
{
    private readonly List<(DateTimeOffset From, DateTimeOffset To)> _all = [];
    private readonly Lock _lock = new();

    /// <summary>How many there were, and how long the longest of those that are over was.</summary>
    public (int Times, TimeSpan Most) Found
    {
        get
        {
            lock (_lock)
            {
                return (
                    _all.Count,
                    _all.Where(one => one.To < DateTimeOffset.MaxValue)
                        .Select(one => one.To - one.From)
                        .DefaultIfEmpty()
                        .Max()
                );
            }
        }
    }

    /// <summary>Whether it was so at any time from one to another.</summary>
    public bool Any(DateTimeOffset from, DateTimeOffset to)
    {
        lock (_lock)
        {
            return _all.Any(one => one.From <= to && one.To >= from);
        }
    }

    /// <summary>It was so until now.</summary>
    public void Add(DateTimeOffset from)
    {
        lock (_lock)
        {
            _all.Add((from, DateTimeOffset.UtcNow));
        }
    }

    /// <summary>It begins to be so.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            _all.Add((DateTimeOffset.UtcNow, DateTimeOffset.MaxValue));
        }
    }

    /// <summary>What began last is over.</summary>
    public void End()
    {
        lock (_lock)
        {
            _all[^1] = (_all[^1].From, DateTimeOffset.UtcNow);
        }
    }
}
