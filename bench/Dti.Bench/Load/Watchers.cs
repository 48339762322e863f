using System.Globalization;
using Dti.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Bench.Load;

/// <summary>
/// What watchers cost a training: the same training alone and with many watchers, of whom every second one never reads,
/// by turns in one run. The server and its watchers are processes of their own, on the same machine; the watchers share
/// one of its cores.
/// </summary>
internal static class Watchers
{
    /// <summary>The command line's word for the process that watches.</summary>
    public const string ClientVerb = "watchers-client";

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var (watchers, steps, rounds) = (
            arguments.Number("--watchers", 1000),
            arguments.Number("--steps", 200),
            arguments.Number("--rounds", 5)
        );
        var folder = Directory.CreateTempSubdirectory("dti-watchers-");
        var (training, server, address) = await TimedTraining
            .StartAsync(arguments, folder.FullName)
            .ConfigureAwait(false);
        using var own = server;
        try
        {
            var (thread, wall, others, memory, said) = (
                new Ratios(),
                new Ratios(),
                new List<double>(),
                new List<double>(),
                new HashSet<string>()
            );
            await training.RunAsync("warm", steps, null).ConfigureAwait(false);
            for (var round = 0; round < rounds; round++)
            {
                var (alone, _) = await training.RunAsync($"alone-{round}", steps, null).ConfigureAwait(false);
                var (watched, words) = await training
                    .RunAsync($"watched-{round}", steps, job => [ClientVerb, address, job, $"{watchers}"])
                    .ConfigureAwait(false);
                thread.Add(watched.Training, alone.Training);
                wall.Add(watched.Wall, alone.Wall);
                others.Add((watched.All - watched.Training - (alone.All - alone.Training)) * 1e6 / watchers);
                memory.Add(ServerProcess.ResidentMebibytes(server));
                said.Add(words.Trim());
            }

            var table = new Table(
                "watchers",
                "training thread's time, watched to alone",
                "on the wall",
                "other threads' µs for a watcher and step",
                "MiB after each round",
                "steps"
            );
            table.Add(
                $"{watchers}",
                $"{thread}",
                $"{wall}",
                others.Order().ElementAt(rounds / 2).ToString("F1", CultureInfo.InvariantCulture),
                string.Join(' ', memory.Select(mib => mib.ToString("F0", CultureInfo.InvariantCulture))),
                string.Join(' ', said)
            );
            table.Save(
                "watchers",
                $"{steps} steps of {training.What} on one thread, alone and watched, by turns, {rounds} rounds: median (least to most). Every second watcher never reads; all share one core (`Dti.Bench watchers`)."
            );
            return 0;
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync().ConfigureAwait(false);
            folder.Delete(recursive: true);
        }
    }

    /// <summary>
    /// Watches a job many times over until it ends, then says how many of those who read saw each step once.
    /// </summary>
    public static async Task<int> RunClientAsync(string address, string jobId, int watchers)
    {
        var all = Enumerable
            .Range(0, watchers)
            .Select(async index =>
            {
                // Each on a connection of its own, as watchers elsewhere would be.
                using var channel = GrpcChannel.ForAddress(address);
                using var call = new JobService.JobServiceClient(channel).Watch(
                    new JobServiceWatchRequest { JobId = jobId }
                );
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
            })
            .ToArray();
        var reading = all.Where((_, index) => index % 2 == 0);
        var whole = (await Task.WhenAll(reading).ConfigureAwait(false)).Count(seen => seen);
        Console.WriteLine($"{whole} of {(watchers + 1) / 2} who read saw each once");
        return 0;
    }
}
