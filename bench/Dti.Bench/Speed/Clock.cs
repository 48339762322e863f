using System.Diagnostics;
using static TorchSharp.torch;

namespace Dti.Bench.Speed;

/// <summary>
/// What time is told by. <see cref="Wall"/> is what a user waits; <see cref="Processor"/> is the time that this process
/// had a core, of all threads together, which other processes on the machine change little. With one thread
/// (<c>OMP_NUM_THREADS=1</c>) both are the same on an idle machine.
/// </summary>
internal sealed record Clock(string Name, Func<TimeSpan> Now)
{
    public static Clock Wall { get; } = new("wall", () => Stopwatch.GetElapsedTime(0));

    public static Clock Processor { get; } = new("processor", () => Environment.CpuUsage.TotalTime);

    /// <summary>That of this run.</summary>
    public static Clock Current { get; set; } = Wall;

    /// <summary>The clock of that name, which on a GPU waits for all that was asked of it.</summary>
    public static Clock Named(string name, string device)
    {
        var clock = name == Processor.Name ? Processor : Wall;
        return device == "cpu"
            ? clock
            : clock with
            {
                Now = () =>
                {
                    cuda.synchronize();
                    return clock.Now();
                },
            };
    }

    public double Seconds(Action action)
    {
        var began = Now();
        action();
        return (Now() - began).TotalSeconds;
    }
}
