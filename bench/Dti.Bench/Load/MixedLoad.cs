using System.Diagnostics;
using System.Globalization;
using Dti.Tests;
using Dti.V1;
using Grpc.Net.Client;

namespace Dti.Bench.Load;

/// <summary>
/// A server on a small disk under a mixed load with faults: calls that are cancelled, connections that break, messages
/// that nobody would send, a disk that is full now and then. What it answered, what it logged and why, whether it still
/// works, what it left on disk, and whether it grew.
/// </summary>
internal static class MixedLoad
{
    private const int DiskMebibytes = 96;
    private static readonly TimeSpan _longestDrain = TimeSpan.FromMinutes(5);

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var (minutes, seed) = (
            double.Parse(arguments.Text("--minutes", "30"), CultureInfo.InvariantCulture),
            arguments.Number("--seed", 1)
        );
        using var disk = new SmallDisk(DiskMebibytes);
        Console.WriteLine(
            disk.IsMounted
                ? $"the data folder is on a disk of {DiskMebibytes} MiB"
                : "no disk could be mounted (that needs root), so none is filled"
        );
        using var stalls = new Stalls();
        var (log, tally) = (new LogReader(disk, stalls), new Tally(disk));
        var program = arguments.Text("--program", "dti");
        var settings = new Dictionary<string, string>
        {
            ["DTI_LOG_FORMAT"] = "json",
            ["DTI_MIN_FREE_DISK_BYTES"] = $"{64 << 10}", // so that jobs begin which then find it full
            ["DTI_SNAPSHOT_INTERVAL"] = "00:00:01",
            ["DTI_LIMITS__MAX_TRAINING_STEPS"] = "40",
            ["DTI_LIMITS__MAX_BATCH_SIZE"] = "1",
            ["DTI_LIMITS__MAX_RESOLUTION"] = "64",
            ["DTI_LIMITS__MAX_PICTURES"] = "2",
            ["DTI_LIMITS__MAX_PIXELS"] = "4096",
            ["DTI_LIMITS__MAX_SAMPLING_STEPS"] = "5",
        };
        var (server, address, metrics) = await ServerProcess
            .StartAsync(program, disk.Data, settings, log.Read, "--metrics-port", "0")
            .ConfigureAwait(false);
        using var own = server;
        try
        {
            var samples = new ServerSamples(server, new Uri($"{metrics}/metrics"));
            await using (var proxy = new CuttingProxy(new Uri(address)))
            {
                var callers = new Callers(
                    new Uri(address),
                    proxy,
                    tally,
                    seed,
                    arguments.Text("--only", "").Split(',', StringSplitOptions.RemoveEmptyEntries)
                );
                using var end = new CancellationTokenSource(TimeSpan.FromMinutes(minutes));
                await Task.WhenAll(
                        callers.RunAsync(end.Token),
                        samples.RunAsync(end.Token),
                        FillAsync(disk, seed, end.Token)
                    )
                    .ConfigureAwait(false);
                await DrainAsync(address, tally).ConfigureAwait(false);
                await callers.AfterwardsAsync().ConfigureAwait(false);
            }

            await StopAsync(server, tally).ConfigureAwait(false);
            foreach (var problem in LeftOnDisk.Problems(disk.Data))
            {
                tally.Tell($"left on disk: {problem}");
            }

            await StartAgainAsync(program, disk.Data, settings, log, tally).ConfigureAwait(false);
            Save(minutes, disk, stalls, samples, tally, log);
            foreach (var wrong in tally.Wrong.Concat(log.Unexplained.Select(line => line.ToString())))
            {
                Console.WriteLine(wrong);
            }

            return tally.Wrong.IsEmpty && !log.Unexplained.Any() ? 0 : 1;
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync().ConfigureAwait(false);
        }
    }

    private static async Task FillAsync(SmallDisk disk, int seed, CancellationToken end)
    {
        var random = new Random(seed);
        while (disk.IsMounted && !end.IsCancellationRequested)
        {
            await Task.Delay(random.Next(20_000, 60_000), end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!end.IsCancellationRequested)
            {
                await disk.FillAsync(random.Next(3) * (40 << 10), TimeSpan.FromSeconds(random.Next(2, 10)))
                    .ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits until every job has ended: none may be stuck.</summary>
    private static async Task DrainAsync(string address, Tally tally)
    {
        using var channel = GrpcChannel.ForAddress(address);
        var jobs = new JobService.JobServiceClient(channel);
        var start = Stopwatch.GetTimestamp();
        while (
            (await jobs.ListAsync(new() { States = { JobState.Queued, JobState.Running } }).ConfigureAwait(false)).Jobs
                is { Count: > 0 } left
        )
        {
            if (Stopwatch.GetElapsedTime(start) > _longestDrain)
            {
                tally.Tell($"{left.Count} jobs do not end, {left[0]} among them");
                return;
            }

            await Task.Delay(500).ConfigureAwait(false);
        }
    }

    private static async Task StopAsync(Process server, Tally tally)
    {
        ChildProcess.Output("kill", "-TERM", $"{server.Id}");
        await server.WaitForExitAsync().ConfigureAwait(false);
        if (server.ExitCode != 0)
        {
            tally.Tell($"the server ended with {server.ExitCode}");
        }
    }

    /// <summary>A server that starts on what is left knows every job and concept.</summary>
    private static async Task StartAgainAsync(
        string program,
        string data,
        Dictionary<string, string> settings,
        LogReader log,
        Tally tally
    )
    {
        var (server, address, _) = await ServerProcess
            .StartAsync(program, data, settings, log.Read)
            .ConfigureAwait(false);
        using var own = server;
        using var channel = GrpcChannel.ForAddress(address);
        var jobs = new JobService.JobServiceClient(channel);
        foreach (var job in (await jobs.ListAsync(new() { PageSize = 1000 }).ConfigureAwait(false)).Jobs)
        {
            if (job.Ended is null)
            {
                tally.Tell($"after a restart {job} is not over");
            }
        }

        var concepts = new ConceptService.ConceptServiceClient(channel);
        var known = (await concepts.ListAsync(new()).ConfigureAwait(false)).Concepts;
        foreach (var concept in known)
        {
            await concepts.ExportAsync(new() { Name = concept.Name }).ConfigureAwait(false);
        }

        if (Directory.GetFiles(Path.Combine(data, "concepts"), "*.json").Length is var files && files != known.Count)
        {
            tally.Tell($"of {files} concepts {known.Count} can be read");
        }

        await StopAsync(server, tally).ConfigureAwait(false);
    }

    private static void Save(
        double minutes,
        SmallDisk disk,
        Stalls stalls,
        ServerSamples samples,
        Tally tally,
        LogReader log
    )
    {
        var half = samples.SecondHalf;
        var hours = half.Select(sample => sample.Seconds / 3600).ToArray();
        var growth = new Table("second half", "first", "last", "least", "most", "slope an hour", "its standard error");
        Grow("memory, MiB", sample => sample.Resident);
        Grow("of it the garbage collector's, MiB", sample => sample.Committed);
        Grow("the rest, MiB", sample => sample.Resident - sample.Committed);
        Grow("managed heap, MiB", sample => sample.Managed);
        Grow("open files", sample => sample.Files);
        Grow("threads", sample => sample.Threads);

        var answers = new Table("call", "answer", "why", "times");
        foreach (var (call, status, why, times) in tally.Answers)
        {
            answers.Add(call, $"{status}", why, $"{times}");
        }

        var lines = new Table("level", "who wrote it, and the event", "cause", "times");
        foreach (var (level, what, cause, times) in log.Kinds)
        {
            lines.Add(level, what, cause ?? "**unknown**", $"{times}");
        }

        var path = Path.Combine(Folders.Bench, "mixed-load");
        File.WriteAllText(
            path + ".md",
            string.Create(
                    CultureInfo.InvariantCulture,
                    $"""
                    {minutes} minutes of mixed load with faults on one server with dti-mini (`Dti.Bench mixed-load`): {tally.Count(
                        _ => true
                    )} calls, {tally.Count(status =>
                        status == Grpc.Core.StatusCode.OK
                    )} answered OK. The disk of {DiskMebibytes} MiB was {(
                        disk.IsMounted ? $"filled {disk.Times} times" : "a plain folder and never full"
                    )}. The machine had no time for the bench itself {stalls.Found.Times} times, for {stalls.Found.Most.TotalSeconds:F0} s at most. Wrong: {tally.Wrong.Count}; lines of the log without a cause: {log.Unexplained.Count()} of {log.Count}. Afterwards every job was over, a training and a drawing succeeded, the server ended with 0, no draft or unreadable file was left, and a server started again knew every job and concept{(
                        tally.Wrong.IsEmpty ? "" : ", but for what is listed below"
                    )}.

                    {growth.Markdown()}
                    {answers.Markdown()}
                    Warnings and errors in its log:

                    {lines.Markdown()}
                    {string.Join(
                        "\n",
                        tally.Wrong.Concat(log.Unexplained.Select(line => $"{line}")).Take(100).Select(wrong =>
                            $"- {wrong.ReplaceLineEndings(" ")}"
                        )
                    )}
                    """
                )
                .TrimEnd() + "\n"
        );
        File.WriteAllLines(
            path + ".csv",
            [ServerSamples.Sample.Headings, .. samples.Taken.Select(sample => sample.ToString())]
        );
        Console.WriteLine($"Wrote {path}.md and .csv.");

        void Grow(string what, Func<ServerSamples.Sample, double> of)
        {
            var values = half.Select(of).ToArray();
            var trend = Trend.Of(hours, values);
            growth.Add([
                what,
                .. new[] { values[0], values[^1], values.Min(), values.Max(), trend.Slope, trend.Error }.Select(value =>
                    value.ToString("F1", CultureInfo.InvariantCulture)
                ),
            ]);
        }
    }
}
