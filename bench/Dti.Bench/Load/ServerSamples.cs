using System.Diagnostics;
using System.Globalization;

namespace Dti.Bench.Load;

/// <summary>What a server holds, looked at now and then from outside.</summary>
/// <param name="process">The server.</param>
/// <param name="metrics">Its page for Prometheus.</param>
internal sealed class ServerSamples(Process process, Uri metrics)
{
    private static readonly TimeSpan _every = TimeSpan.FromSeconds(10);
    private readonly List<Sample> _taken = [];

    /// <param name="Seconds">Since the first.</param>
    /// <param name="Resident">MiB of memory.</param>
    /// <param name="Managed">MiB that the last garbage collection left.</param>
    /// <param name="Committed">MiB that the garbage collector keeps from the system, holes and room for what is to come
    /// included.</param>
    /// <param name="Files">Open files and sockets.</param>
    /// <param name="Threads">Threads.</param>
    public sealed record Sample(
        double Seconds,
        double Resident,
        double Managed,
        double Committed,
        int Files,
        int Threads
    )
    {
        public static readonly string Headings = "seconds,MiB,managed MiB,committed MiB,files,threads";

        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Seconds:F0},{Resident:F1},{Managed:F1},{Committed:F1},{Files},{Threads}"
            );
    }

    public IReadOnlyList<Sample> Taken => _taken;

    /// <summary>The later half.</summary>
    public Sample[] SecondHalf => [.. _taken.Skip(_taken.Count / 2)];

    public async Task RunAsync(CancellationToken end)
    {
        using var http = new HttpClient();
        var start = Stopwatch.GetTimestamp();
        while (!end.IsCancellationRequested && !process.HasExited)
        {
            var page = await http.GetStringAsync(metrics, CancellationToken.None).ConfigureAwait(false);
            var status = File.ReadAllLines($"/proc/{process.Id}/status");
            var sample = new Sample(
                Stopwatch.GetElapsedTime(start).TotalSeconds,
                Number(status, "VmRSS:") / 1024.0,
                Sum(page, "heap_size_bytes") / (1 << 20),
                Sum(page, "memory_committed_size_bytes") / (1 << 20),
                Directory.GetFileSystemEntries($"/proc/{process.Id}/fd").Length,
                Number(status, "Threads:")
            );
            _taken.Add(sample);
            Console.WriteLine(sample);
            await Task.Delay(_every, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static int Number(string[] status, string key) =>
        int.Parse(
            status
                .Single(line => line.StartsWith(key, StringComparison.Ordinal))[key.Length..]
                .Replace("kB", "", StringComparison.Ordinal),
            CultureInfo.InvariantCulture
        );

    // Lines are NAME VALUE or NAME{LABELS} VALUE, perhaps with a time behind.
    private static double Sum(string page, string of) =>
        page.Split('\n')
            .Where(line =>
                line.StartsWith($"dotnet_gc_last_collection_{of}{{", StringComparison.Ordinal)
                || line.StartsWith($"dotnet_gc_last_collection_{of} ", StringComparison.Ordinal)
            )
            .Sum(line =>
                double.Parse(
                    line[Math.Max(line.LastIndexOf('}') + 1, line.IndexOf(' '))..].Trim().Split(' ')[0],
                    CultureInfo.InvariantCulture
                )
            );
}
