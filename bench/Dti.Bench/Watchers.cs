using System.Diagnostics;
using System.Globalization;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Bench;

/// <summary>
/// What watchers cost a training: the same training alone and with many watchers, of whom every second one never reads, by turns in one run. The
/// server and its watchers are processes of their own, on the same machine.
/// </summary>
internal static class Watchers
{
    /// <summary>The command line's word for the process that watches.</summary>
    public const string ClientVerb = "watchers-client";

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var (watchers, steps, rounds) = (arguments.Number("--watchers", 1000), arguments.Number("--steps", 200), arguments.Number("--rounds", 5));
        var folder = Directory.CreateTempSubdirectory("dti-watchers-");
        var (server, address, _) = await ServerProcess.StartAsync(arguments.Text("--program", "dti"), folder.FullName, [], null).ConfigureAwait(false);
        using var own = server;
        try
        {
            using var channel = GrpcChannel.ForAddress(address);
            var (alone, watched, memory) = (new List<double>(), new List<double>(), new List<double>());
            await TrainAsync(channel, "warm", steps, _ => null).ConfigureAwait(false);
            for (var round = 0; round < rounds; round++)
            {
                alone.Add(await TrainAsync(channel, $"alone-{round}", steps, _ => null).ConfigureAwait(false));
                watched.Add(await TrainAsync(channel, $"watched-{round}", steps, job => Process.Start(Environment.ProcessPath!, [ClientVerb, address, job, $"{watchers}"])).ConfigureAwait(false));
                server.Refresh();
                memory.Add(server.WorkingSet64 / (double)(1 << 20));
            }

            var ratios = alone.Zip(watched, (a, b) => b / a).Order().ToArray();
            var table = new Table("watchers", "ms a step alone", "watched", "ratio, median", "least", "most", "MiB after each round");
            table.Add($"{watchers}", Ms(alone), Ms(watched), Two(ratios[ratios.Length / 2]), Two(ratios[0]), Two(ratios[^1]), string.Join(", ", memory.Select(mib => mib.ToString("F0", CultureInfo.InvariantCulture))));
            table.Save("watchers", $"{steps} steps of dti-mini, alone and watched, by turns; every second watcher never reads (`Dti.Bench watchers`).");
            return 0;
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync().ConfigureAwait(false);
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Watches a job many times over until it ends, then says how many of those who read saw each step once.</summary>
    public static async Task<int> RunClientAsync(string address, string jobId, int watchers)
    {
        var all = Enumerable.Range(0, watchers).Select(async index =>
        {
            // Each on a connection of its own, as watchers elsewhere would be.
            using var channel = GrpcChannel.ForAddress(address);
            using var call = new JobService.JobServiceClient(channel).Watch(new JobServiceWatchRequest { JobId = jobId });
            if (index % 2 == 1)
            {
                await Task.Delay(Timeout.Infinite).ConfigureAwait(false);
            }

            var steps = new List<int>();
            await foreach (var happened in call.ResponseStream.ReadAllAsync().ConfigureAwait(false))
            {
                if (happened.Event.Progress is { } progress)
                {
                    steps.Add(progress.Step);
                }
            }

            return steps.SequenceEqual(Enumerable.Range(1, steps.Count)) && steps.Count > 0;
        }).ToArray();
        var reading = all.Where((_, index) => index % 2 == 0);
        var whole = (await Task.WhenAll(reading).ConfigureAwait(false)).Count(seen => seen);
        Console.WriteLine($"{whole} of {(watchers + 1) / 2} who read saw each step once");
        return 0;
    }

    private static string Ms(List<double> seconds) => (1000 * seconds.Order().ElementAt(seconds.Count / 2)).ToString("F1", CultureInfo.InvariantCulture);

    private static string Two(double ratio) => ratio.ToString("F3", CultureInfo.InvariantCulture);

    /// <summary>Seconds a step, over the second half of a training.</summary>
    private static async Task<double> TrainAsync(GrpcChannel channel, string name, int steps, Func<string, Process?> watch)
    {
        using var call = new DtiService.DtiServiceClient(channel).Train(new TrainRequest
        {
            Name = name,
            Photos = { new Photo { FileName = "a.png", Data = ByteString.CopyFrom(ModelCase.Noise(128)) } },
            Options = new TrainingOptions { Steps = steps, PreviewEvery = 0, Seed = 7, Placeholder = $"<{name}>" },
        });
        Process? watchers = null;
        long half = 0;
        await foreach (var happened in call.ResponseStream.ReadAllAsync().ConfigureAwait(false))
        {
            watchers ??= happened.Accepted is { } accepted ? watch(accepted.JobId) : null;
            half = happened.Progress?.Step == steps / 2 ? Stopwatch.GetTimestamp() : half;
        }

        var seconds = Stopwatch.GetElapsedTime(half).TotalSeconds / (steps - (steps / 2));
        if (watchers is not null)
        {
            await watchers.WaitForExitAsync().ConfigureAwait(false);
        }

        return seconds;
    }
}
