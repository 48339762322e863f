using System.Diagnostics;
using System.Globalization;
using Dti.V1;

namespace Dti.Bench.Clusters;

/// <summary>
/// Two gateways and three workers, each in a network namespace of its own, whose processes are killed, whose network is
/// cut and whose database restarts while callers train and generate. Every job must end once, with the result of an
/// unbroken run, and no watcher may miss a step or see one twice.
/// </summary>
internal static class Chaos
{
    private const int Callers = 8;
    private static readonly string[] _hosts = ["g1", "g2", "w1", "w2", "w3"];

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var table = new Table(
            "database",
            "trainings",
            "generations",
            "generations repeated",
            "trainings killed twice at one step",
            "kills",
            "partitions",
            "database restarts",
            "silos that stopped themselves",
            "failed calls",
            "wrong",
            "minutes"
        );
        var wrong = 0;
        foreach (var kind in arguments.Text("--databases", "postgres,redis").Split(','))
        {
            wrong += await RunAsync(kind, arguments, table).ConfigureAwait(false);
        }

        if (!arguments.Has("--no-save"))
        {
            table.Save(
                "cluster-chaos",
                "Eight callers submit jobs to a cluster of two gateways and three workers with TLS, each in its own network namespace. Meanwhile hosts are killed (SIGKILL), hosts are disconnected (half of them from the database only), and the database is restarted (`Dti.Bench cluster-chaos`). *Wrong* counts jobs that did not end exactly once or had other results than in an uninterrupted run, and watchers that missed or repeated a step."
            );
        }

        return wrong == 0 ? 0 : 1;
    }

    private static async Task<int> RunAsync(string kind, Arguments arguments, Table table)
    {
        var (jobs, kills) = (arguments.Number("--jobs", 200), arguments.Number("--kills", 30));
        var (partitions, restarts) = (arguments.Number("--partitions", 10), arguments.Number("--restarts", 3));
        var over = TimeSpan.FromSeconds(arguments.Number("--seconds", 600));
        var seed = arguments.Number("--seed", 1);
        var program = arguments.Text("--program", "dti");
        var folder = Directory.CreateTempSubdirectory("dti-cluster-");
        ChildProcess.Output("chmod", "755", folder.FullName); // PostgreSQL runs as nobody
        var start = Stopwatch.GetTimestamp();
        var cluster = await BenchCluster
            .StartAsync(
                kind,
                [program, "serve", "--data", Path.Combine(folder.FullName, "data")],
                program,
                folder.FullName
            )
            .ConfigureAwait(false);
        await using (cluster.ConfigureAwait(false))
        {
            foreach (var host in _hosts)
            {
                cluster.Start(
                    host,
                    new Dictionary<string, string>
                    {
                        ["DTI_SNAPSHOT_INTERVAL"] = "00:00:00.5",
                        ["DTI_MAX_QUEUED_JOBS"] = "1000",
                        ["DTI_JOB_HISTORY"] = "10000",
                        ["DTI_BUILT_IN_MODEL"] = "",
                    }
                );
            }

            await cluster.ReadyAsync().ConfigureAwait(false);
            var channels = cluster.Gateways.Select(cluster.Connect).ToList();
            var calls = new ChaosJobs(channels, new Random(seed));
            var (_, vectors) = await calls.TrainAsync("unbroken").ConfigureAwait(false);
            var images = await calls.GenerateAsync().ConfigureAwait(false);
            Console.WriteLine($"{kind}: the unbroken run took {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s");

            var faults = new Faults(cluster, new Random(seed));
            var causing = faults.CauseAsync(kills, partitions, restarts, over);
            var trained = new Dictionary<string, string>();
            var next = 0;
            var began = Stopwatch.GetTimestamp();
            async Task CallAsync()
            {
                while (Interlocked.Increment(ref next) is var number && number <= jobs)
                {
                    // jobs are submitted throughout the time of the faults
                    var wait = (over / jobs * number) - Stopwatch.GetElapsedTime(began);
                    await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero).ConfigureAwait(false);
                    if (number % 2 == 0)
                    {
                        if (await calls.GenerateAsync().ConfigureAwait(false) != images)
                        {
                            calls.Wrong.Add($"generation {number}: other images");
                        }

                        continue;
                    }

                    var name = $"training-{number}";
                    var (jobId, learnt) = await calls.TrainAsync(name).ConfigureAwait(false);
                    if (learnt is null)
                    {
                        continue;
                    }

                    lock (trained)
                    {
                        trained.Add(name, jobId);
                    }

                    if (learnt != vectors)
                    {
                        calls.Wrong.Add($"{name}: another concept");
                    }
                }
            }

            await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => CallAsync())).ConfigureAwait(false);
            await causing.ConfigureAwait(false);
            await cluster.ReadyAsync().ConfigureAwait(false);
            foreach (var (name, jobId) in trained)
            {
                foreach (var channel in channels)
                {
                    await calls.CheckAsync(name, jobId, channel).ConfigureAwait(false);
                }
            }

            await CheckListAsync(calls, channels[0], trained.Values).ConfigureAwait(false);
            channels.ForEach(channel => channel.Dispose());
            table.Add(
                kind == "postgres" ? "PostgreSQL" : "Redis",
                $"{jobs - (jobs / 2)}",
                $"{jobs / 2}",
                $"{calls.Repeated}",
                $"{calls.Quarantined.Count}",
                $"{faults.Kills}",
                $"{faults.Partitions.Count}",
                $"{faults.Restarts}",
                $"{cluster.Hosts.Sum(host => host.OwnEnds)}",
                string.Join(", ", calls.Failures.OrderBy(one => one.Key).Select(one => $"{one.Value} {one.Key}")),
                $"{calls.Wrong.Count}",
                Stopwatch.GetElapsedTime(start).TotalMinutes.ToString("F1", CultureInfo.InvariantCulture)
            );
            calls.Wrong.Order().ToList().ForEach(Console.WriteLine);
            if (calls.Wrong.IsEmpty && !arguments.Has("--keep"))
            {
                await cluster.DisposeAsync().ConfigureAwait(false);
                folder.Delete(recursive: true);
            }
            else
            {
                Console.WriteLine($"The logs are in {folder.FullName}.");
            }

            return calls.Wrong.Count;
        }
    }

    /// <summary>
    /// Every job is over; each training succeeded once or was quarantined; a generation was cancelled at most.
    /// </summary>
    private static async Task CheckListAsync(
        ChaosJobs calls,
        Grpc.Net.Client.GrpcChannel gateway,
        IReadOnlyCollection<string> trained
    )
    {
        var start = Stopwatch.GetTimestamp();
        var known = await ChaosJobs.ListAsync(gateway).ConfigureAwait(false);
        while (known.Any(job => job.Ended is null) && Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(2))
        {
            await Task.Delay(1000).ConfigureAwait(false); // a generation whose caller went away
            known = await ChaosJobs.ListAsync(gateway).ConfigureAwait(false);
        }

        foreach (var job in known)
        {
            var isExpected =
                job.Kind == JobKind.Train
                    ? calls.Quarantined.Contains(job.Name)
                        || (job.State == JobState.Succeeded && (job.Name == "unbroken" || trained.Contains(job.JobId)))
                    : job.State is JobState.Succeeded or JobState.Cancelled;
            if (!isExpected)
            {
                calls.Wrong.Add(
                    $"job {job.JobId} ({job.Kind} {job.Name}) is {job.State} at step {job.Step}: {job.Error}"
                );
            }
        }
    }
}
