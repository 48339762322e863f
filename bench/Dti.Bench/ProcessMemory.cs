using System.Globalization;

namespace Dti.Bench;

/// <summary>Resident memory of this process, as Linux counts it.</summary>
internal static class ProcessMemory
{
    public static long ResidentBytes => Read("VmRSS:");

    /// <summary>The most since <see cref="RestartPeak"/>.</summary>
    public static long PeakBytes => Read("VmHWM:");

    public static void RestartPeak()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        File.WriteAllText("/proc/self/clear_refs", "5");
    }

    private static long Read(string key)
    {
        var line = File.ReadLines("/proc/self/status").Single(line => line.StartsWith(key, StringComparison.Ordinal));
        return long.Parse(line[key.Length..^"kB".Length].Trim(), CultureInfo.InvariantCulture) * 1024;
    }
}
