using System.Diagnostics;

namespace Dti.Bench.Load;

/// <summary>
/// When this program itself stood still: then the machine had no time for anybody, and what a server says of itself is
/// not its fault.
/// </summary>
internal sealed class Stalls : IDisposable
{
    private static readonly TimeSpan _step = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(1);
    private readonly Stretches _found = new();
    private readonly Thread _thread;
    private volatile bool _ended;

    public Stalls()
    {
        _thread = new Thread(Watch) { Name = "stalls", IsBackground = true };
        _thread.Start();
    }

    /// <summary>How often, and how long at most.</summary>
    public (int Times, TimeSpan Most) Found => _found.Found;

    /// <summary>Whether the machine stood still then, or in the seconds before.</summary>
    public bool Any(DateTimeOffset time, TimeSpan before) => _found.Any(time - before, time);

    public void Dispose()
    {
        _ended = true;
        _thread.Join();
    }

    private void Watch()
    {
        while (!_ended)
        {
            var (from, start) = (DateTimeOffset.UtcNow, Stopwatch.GetTimestamp());
            Thread.Sleep(_step);
            if (Stopwatch.GetElapsedTime(start) > _long)
            {
                _found.Add(from);
            }
        }
    }
}
