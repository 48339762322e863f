using System.Globalization;
using Dti.Engine;
using Dti.Server.Errors;
using Dti.Server.Telemetry;

namespace Dti.Server.Libraries;

/// <summary>
/// What is in memory under a budget: loaded on first use, once however many ask at the same time, kept while used, and
/// after that let go, least recently used first, when another needs the room. Thread-safe.
/// </summary>
/// <param name="bytes">The budget.</param>
/// <param name="total">Bytes of it and of what is computed together; null: unknown.</param>
internal sealed class MemoryBudget(long bytes, long? total = null) : IDisposable
{
    private static readonly KeyValuePair<string, object?> _hit = new("dti.result", "hit");
    private static readonly KeyValuePair<string, object?> _miss = new("dti.result", "miss");

    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _entries = []; // least recently used first

    /// <summary>The budget.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>Bytes of what is used now.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_lock)
            {
                return _entries.Where(entry => entry.Users > 0).Sum(entry => entry.Size);
            }
        }
    }

    /// <summary>Whether something is in memory, or on its way there, now.</summary>
    public bool Holds(Func<object, bool> isIt)
    {
        lock (_lock)
        {
            return _entries.Any(entry => isIt(entry.Key));
        }
    }

    /// <summary>Takes something into use. What fails to load is forgotten, so that the next one tries again.</summary>
    /// <param name="key">What it is.</param>
    /// <param name="name">For messages.</param>
    /// <param name="size">Bytes that it takes.</param>
    /// <param name="load">Loads it, on the caller's thread.</param>
    /// <param name="workingBytes">Working memory in bytes that the caller needs in addition; idle entries are evicted
    /// for it too.</param>
    /// <exception cref="DtiException">It is larger than the budget (FailedPrecondition).</exception>
    /// <exception cref="DtiException">What others use leaves no room (RESOURCE_EXHAUSTED).</exception>
    public Lease<T> Rent<T>(object key, string name, long size, Func<T> load, long workingBytes = 0)
        where T : class, IDisposable
    {
        EnsureFits(name, size);
        var entry = Enter(key, name, size, load, workingBytes);
        try
        {
            return new Lease<T>((T)entry.Loaded.Value, () => Leave(entry));
        }
        catch
        {
            lock (_lock)
            {
                if (_entries.Remove(entry))
                {
                    DtiMetrics.CacheBytes.Add(-size);
                }
            }

            throw;
        }
    }

    /// <summary>Checks that something would fit if nothing else were in memory.</summary>
    /// <exception cref="DtiException">It would not; the message has the numbers.</exception>
    public void EnsureFits(string name, long size)
    {
        if (size > Bytes)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{name} takes {GiB(size)}, and models may take {GiB(Bytes)} of memory: give them more when you start the server, or use a smaller dtype or model."
            );
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var entry in _entries)
            {
                entry.Free();
                DtiMetrics.CacheBytes.Add(-entry.Size);
            }

            _entries.Clear();
        }
    }

    private Entry Enter<T>(object key, string name, long size, Func<T> load, long workingBytes)
        where T : class, IDisposable
    {
        lock (_lock)
        {
            var entry = _entries.FirstOrDefault(entry => entry.Key.Equals(key));
            if (entry is null)
            {
                MakeRoom(name, size, workingBytes);
                entry = new Entry(key, size, new Lazy<IDisposable>(load));
                DtiMetrics.CacheBytes.Add(size);
                DtiMetrics.CacheRequests.Add(1, _miss);
            }
            else
            {
                DtiMetrics.CacheRequests.Add(1, _hit);
                _entries.Remove(entry);
                Evict(() => Taken() + size + workingBytes > total);
            }

            _entries.AddLast(entry);
            entry.Users++;
            return entry;
        }
    }

    private void MakeRoom(string name, long size, long workingBytes)
    {
        Evict(() => Taken() + size > Bytes || Taken() + size + workingBytes > total);
        if (Taken() + size > Bytes)
        {
            throw Refusals.ResourceExhausted(
                $"{name} takes {GiB(size)}; models in use take {GiB(Taken())} of the {GiB(Bytes)} that models may.",
                Refusals.ModelMemoryFull,
                TimeSpan.FromMinutes(1)
            );
        }
    }

    private long Taken() => _entries.Sum(entry => entry.Size);

    /// <summary>Lets go of what nobody uses, least recently used first, for as long as it is needed.</summary>
    private void Evict(Func<bool> needed)
    {
        foreach (var idle in _entries.Where(entry => entry.Users == 0).ToList())
        {
            if (needed())
            {
                _entries.Remove(idle);
                idle.Free();
                DtiMetrics.CacheBytes.Add(-idle.Size);
                DtiMetrics.CacheEvictions.Add(1);
            }
        }
    }

    private void Leave(Entry entry)
    {
        lock (_lock)
        {
            entry.Users--;
        }
    }

    /// <summary>A size for people.</summary>
    internal static string GiB(long size) =>
        string.Create(CultureInfo.InvariantCulture, $"{size / (double)(1L << 30):G3} GiB");

    private sealed class Entry(object key, long size, Lazy<IDisposable> loaded)
    {
        public object Key => key;

        public long Size => size;

        public Lazy<IDisposable> Loaded => loaded;

        public int Users { get; set; }

        public void Free()
        {
            if (Loaded.IsValueCreated)
            {
                Loaded.Value.Dispose();
            }
        }
    }
}

/// <summary>Something in memory that stays there until this is disposed.</summary>
internal sealed class Lease<T>(T value, Action leave) : IDisposable
{
    private Action? _leave = leave;

    public T Value { get; } = value;

    public void Dispose() => Interlocked.Exchange(ref _leave, null)?.Invoke();
}
