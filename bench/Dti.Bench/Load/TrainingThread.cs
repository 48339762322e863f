using System.Diagnostics;
using System.Globalization;

namespace Dti.Bench.Load;

/// <summary>
/// How long a server's processes had a core, as Linux counts it: the thread that trains by itself, and all threads
/// together. On a shared machine that says more than what a clock on the wall does.
/// </summary>
/// <param name="Wall">Seconds on the wall.</param>
/// <param name="Training">Seconds that the training thread had a core.</param>
/// <param name="Waiting">Seconds that it waited for one.</param>
/// <param name="All">Seconds that all threads had a core.</param>
internal sealed record TrainingThread(double Wall, double Training, double Waiting, double All)
{
    private const string Name = "dti-device";

    public static TrainingThread Now(Process server)
    {
        var threads = Directory.GetDirectories($"/proc/{server.Id}/task");
        var own = threads
            .OrderBy(thread => int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture))
            // those that it begins have its name at first
            .First(thread => File.ReadAllText(Path.Combine(thread, "comm")).Trim() == Name);
        var times = Scheduled(own);
        server.Refresh();
        return new TrainingThread(
            Stopwatch.GetElapsedTime(0).TotalSeconds,
            times[0],
            times[1],
            server.TotalProcessorTime.TotalSeconds
        );
    }

    public static TrainingThread operator -(TrainingThread later, TrainingThread earlier) =>
        new(
            later.Wall - earlier.Wall,
            later.Training - earlier.Training,
            later.Waiting - earlier.Waiting,
            later.All - earlier.All
        );

    /// <summary>For each of so many steps.</summary>
    public static TrainingThread operator /(TrainingThread all, int steps) =>
        new(all.Wall / steps, all.Training / steps, all.Waiting / steps, all.All / steps);

    // Nanoseconds on a core, and waiting for one.
    private static double[] Scheduled(string thread) =>
        [
            .. File.ReadAllText(Path.Combine(thread, "schedstat"))
                .Split(' ')
                .Take(2)
                .Select(number => double.Parse(number, CultureInfo.InvariantCulture) / 1e9),
        ];
}
