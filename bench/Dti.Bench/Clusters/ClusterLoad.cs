using System.Diagnostics;
using System.Globalization;

namespace Dti.Bench.Clusters;

/// <summary>
/// How many jobs one, two and three workers finish, and how soon a cluster accepts a job while few or many wait.
/// Workers sleep instead of computing.
/// </summary>
internal static class ClusterLoad
{
    private const int MostWaiting = 10_000; // what the setting allows
    private const int Callers = 8;
    private const int Steps = 10;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var throughput = new Table("database", "workers", "jobs", "seconds", "jobs per second", "times one worker");
        var queue = new Table(
            "database",
            "jobs waiting",
            "submit ms, median",
            "p99",
            "by 8 callers: submits per second",
            "ms, median",
            "p99",
            "cancels per second",
            "list 100 ms",
            "jobs per second, 3 idle workers",
            "submit ms meanwhile, median",
            "p99"
        );
        foreach (var kind in arguments.Text("--databases", "postgres,redis").Split(','))
        {
            if (!arguments.Has("--queue-only"))
            {
                await MeasureThroughputAsync(kind, arguments, throughput).ConfigureAwait(false);
            }

            foreach (
                var waiting in arguments.Has("--throughput-only") ? [] : arguments.Numbers("--waiting", "20,10000")
            )
            {
                await MeasureQueueAsync(kind, waiting, arguments, queue).ConfigureAwait(false);
            }
        }

        if (!arguments.Has("--no-save"))
        {
            throughput.Save(
                "cluster-throughput",
                "Training jobs that a cluster with TLS completes per second, by the number of workers (`Dti.Bench cluster-load`). Eight callers submit the jobs to two gateways. Each job has ten steps, for which a worker sleeps 300 ms each instead of computing. Each host is a process in its own network namespace, and all processes share two cores. The time is measured from the first submission to the last result."
            );
            queue.Save(
                "cluster-queue",
                "Operations on the queue of a cluster, by the number of waiting jobs (`Dti.Bench cluster-load`). Callers use gRPC with TLS and two gateways, and the database has its default durability settings. A submission is measured from the call of `Train` to its first event. All processes share two cores. For the last three columns, three workers run jobs that take no time."
            );
        }

        return 0;
    }

    private static async Task MeasureThroughputAsync(string kind, Arguments arguments, Table table)
    {
        var jobs = arguments.Number("--jobs", 12);
        await WithClusterAsync(kind, arguments, async (cluster, load) =>
            {
                double? one = null;
                for (var workers = 1; workers <= 3; workers++)
                {
                    StartWorker(cluster, workers, stepTime: 300);
                    await WarmAsync(load, workers).ConfigureAwait(false);
                    var done = await Load.RepeatAsync(jobs * workers, Callers, _ => load.TrainAsync(Steps))
                        .ConfigureAwait(false);
                    one ??= done.PerSecond;
                    table.Add(
                        NameOf(kind),
                        $"{workers}",
                        $"{jobs * workers}",
                        Text(done.Elapsed.TotalSeconds),
                        done.PerSecond.ToString("F3", CultureInfo.InvariantCulture),
                        Table.Ratio(done.PerSecond / one.Value)
                    );
                }
            })
            .ConfigureAwait(false);
    }

    /// <summary>
    /// Runs jobs until each worker has the model in memory. Jobs wait five seconds for a worker that has it, so that
    /// others load it only when jobs queue up.
    /// </summary>
    private static async Task WarmAsync(Load load, int workers)
    {
        while (
            await load.WorkersAsync().ConfigureAwait(false) is var (loaded, all) && (loaded, all) != (workers, workers)
        )
        {
            await Load.RepeatAsync(Callers, Callers, _ => load.TrainAsync(Steps)).ConfigureAwait(false);
        }
    }

    private static async Task MeasureQueueAsync(string kind, int waiting, Arguments arguments, Table table)
    {
        var rounds = arguments.Number("--rounds", 300);
        await WithClusterAsync(kind, arguments, async (cluster, load) =>
            {
                await Load.RepeatAsync(20, 1, _ => load.SubmitAsync(1)).ConfigureAwait(false); // warm
                // with room for those that are measured
                var filled = Math.Min(waiting, MostWaiting - (3 * rounds)) - 20;
                if (filled > 0)
                {
                    var filling = await Load.RepeatAsync(filled, Callers, _ => load.SubmitAsync(1))
                        .ConfigureAwait(false);
                    Console.WriteLine($"{kind}: filled with {filled} jobs, {Text(filling.PerSecond)} per second");
                }

                var alone = await Load.RepeatAsync(rounds, 1, _ => load.SubmitAsync(1)).ConfigureAwait(false);
                var ids = new string[rounds];
                var together = await Load.RepeatAsync(rounds, Callers, async number =>
                        ids[number] = await load.SubmitAsync(1).ConfigureAwait(false)
                    )
                    .ConfigureAwait(false);
                var list = await Load.RepeatAsync(20, 1, _ => load.ListAsync()).ConfigureAwait(false);
                var cancels = await Load.RepeatAsync(rounds, Callers, number => load.CancelAsync(ids[number]))
                    .ConfigureAwait(false);
                var (finished, meanwhile) = await DrainAsync(cluster, load, Math.Min(rounds, filled))
                    .ConfigureAwait(false);
                table.Add(
                    NameOf(kind),
                    $"{Math.Max(filled, 0) + 20}",
                    Text(alone.Median),
                    Text(alone.P99),
                    Text(together.PerSecond),
                    Text(together.Median),
                    Text(together.P99),
                    Text(cancels.PerSecond),
                    Text(list.Median),
                    finished,
                    meanwhile is null ? "" : Text(meanwhile.Median),
                    meanwhile is null ? "" : Text(meanwhile.P99)
                );
            })
            .ConfigureAwait(false);
    }

    /// <summary>Starts workers for whom jobs are no work, and submits further jobs while they empty the queue.</summary>
    private static async Task<(string PerSecond, Latencies? Submits)> DrainAsync(
        BenchCluster cluster,
        Load load,
        int rounds
    )
    {
        if (rounds < 100)
        {
            return ("", null); // the queue would be empty at once
        }

        for (var worker = 1; worker <= 3; worker++)
        {
            StartWorker(cluster, worker, stepTime: 0);
        }

        while (Finished(cluster) < 20)
        {
            await Task.Delay(100).ConfigureAwait(false); // the hosts start
        }

        var (before, start) = (Finished(cluster), Stopwatch.GetTimestamp());
        var submits = await Load.RepeatAsync(rounds, 1, _ => load.SubmitAsync(1)).ConfigureAwait(false);
        var perSecond = (Finished(cluster) - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (Text(perSecond), submits);
    }

    private static async Task WithClusterAsync(string kind, Arguments arguments, Func<BenchCluster, Load, Task> measure)
    {
        var folder = Directory.CreateTempSubdirectory("dti-cluster-");
        ChildProcess.Output("chmod", "755", folder.FullName); // PostgreSQL runs as nobody
        var cluster = await BenchCluster
            .StartAsync(
                kind,
                [Environment.ProcessPath!, SimulatedHost.Verb],
                arguments.Text("--program", "dti"),
                folder.FullName
            )
            .ConfigureAwait(false);
        await using (cluster.ConfigureAwait(false))
        {
            StartHost(cluster, "g1", stepTime: 0);
            StartHost(cluster, "g2", stepTime: 0);
            await cluster.ReadyAsync().ConfigureAwait(false);
            var channels = cluster.Gateways.Select(cluster.Connect).ToList();
            await measure(cluster, new Load(channels)).ConfigureAwait(false);
            channels.ForEach(channel => channel.Dispose());
        }

        folder.Delete(recursive: true);
    }

    private static void StartWorker(BenchCluster cluster, int number, int stepTime) =>
        StartHost(cluster, $"w{number}", stepTime);

    private static void StartHost(BenchCluster cluster, string name, int stepTime) =>
        cluster.Start(
            name,
            new Dictionary<string, string>
            {
                ["DTI_MAX_QUEUED_JOBS"] = $"{MostWaiting}",
                [SimulatedHost.StepTime] = $"{stepTime}",
                [SimulatedHost.Finished] = Path.Combine(cluster.Folder, $"{name}.finished"),
            }
        );

    private static long Finished(BenchCluster cluster) =>
        Directory.GetFiles(cluster.Folder, "*.finished").Sum(file => new FileInfo(file).Length);

    private static string NameOf(string kind) => kind == "postgres" ? "PostgreSQL" : "Redis";

    private static string Text(double number) =>
        number.ToString(number < 10 ? "F1" : "F0", CultureInfo.InvariantCulture);
}
