using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Dti.ClientSdk;
using Dti.Server;
using Dti.Server.Configuration;
using Dti.Server.Jobs;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Bench;

/// <summary>
/// How long a training event takes from the engine to a client in another process, by the C# and by the Python client.
/// Both sides read the machine's monotonic clock.
/// </summary>
internal static class Latency
{
    /// <summary>The command line's word for the C# client.</summary>
    public const string ClientVerb = "latency-client";

    private const string PythonClient = """
        import pathlib, sys, time
        sys.path.insert(0, sys.argv[1])
        from dti_client import DtiClient, TrainingOptions, TrainingProgress
        options = TrainingOptions(steps=int(sys.argv[3]), batch_size=1, resolution=64, preview_every=0, initializer="cat")
        seen = []
        for update in DtiClient(sys.argv[2]).train(sys.argv[5], [pathlib.Path(sys.argv[4])], options):
            if isinstance(update, TrainingProgress):
                seen.append((update.step, time.monotonic_ns()))
        print("\n".join(f"{step} {at}" for step, at in seen))
        """;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var steps = arguments.Text("--steps", "1000");
        var folder = Directory.CreateTempSubdirectory("dti-latency-");
        try
        {
            var photo = Path.Combine(folder.FullName, "photo.png");
            File.WriteAllBytes(photo, ModelCase.Noise(64));
            var options = new DtiServerOptions
            {
                Port = 0,
                ConceptFolder = Path.Combine(folder.FullName, "concepts"),
                ModelFolders = [Folders.Fixture("tiny-sd15")],
                Device = "cpu",
            };
            var left = new ConcurrentDictionary<(string Name, int Step), long>();
            await using var server = DtiHost.Build(options, builder =>
                builder.Services.AddSingleton<IJobRunner>(services => new TimedRunner(
                    ActivatorUtilities.CreateInstance<JobRunner>(services),
                    left
                ))
            );
            await server.StartAsync().ConfigureAwait(false);
            var address = DtiHost.AddressOf(server).ToString();
            var table = new Table("client", "events", "median ms", "p99 ms", "most ms");
            void Measure(string client, string concept, string program, params string[] words)
            {
                var seen = ChildProcess
                    .Output(program, [.. words, address, steps, photo, concept])
                    .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Select(line => line.Split(' '))
                    .ToDictionary(
                        parts => int.Parse(parts[0], CultureInfo.InvariantCulture),
                        parts => long.Parse(parts[1], CultureInfo.InvariantCulture)
                    );
                var took = seen.Select(entry => (entry.Value - left[(concept, entry.Key)]) / 1e6).Order().ToArray();
                string Ms(double share) =>
                    took[(int)(share * (took.Length - 1))].ToString("F2", CultureInfo.InvariantCulture);
                table.Add(client, $"{took.Length}", Ms(0.5), Ms(0.99), Ms(1));
            }

            Measure("C#", "csharp", Environment.ProcessPath!, ClientVerb);
            Measure(
                "Python",
                "python",
                "/usr/bin/python3",
                "-c",
                PythonClient,
                Path.Combine(Folders.Bench, "..", "clients", "python-shim")
            );
            table.Save(
                "latency",
                "A training event from the engine to a client in another process, tiny model in training on the same machine (`Dti.Bench latency`)."
            );
            await server.StopAsync().ConfigureAwait(false);
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The C# client: learns a concept, then writes each step and when it came.</summary>
    public static async Task<int> RunClientAsync(string address, string steps, string photo, string concept)
    {
        await using var client = new DtiClient(new Uri(address));
        var seen = new List<(int Step, long At)>();
        var options = new TrainingOptions
        {
            Steps = int.Parse(steps, CultureInfo.InvariantCulture),
            BatchSize = 1,
            Resolution = 64,
            PreviewEvery = 0,
            Initializer = "cat",
        };
        await foreach (
            var update in client
                .TrainAsync(
                    new TrainRequest
                    {
                        Name = concept,
                        Photos = [await Photo.ReadAsync(photo).ConfigureAwait(false)],
                        Options = options,
                    }
                )
                .ConfigureAwait(false)
        )
        {
            if (update is TrainingProgress progress)
            {
                seen.Add((progress.Step, Nanoseconds()));
            }
        }

        Console.WriteLine(
            string.Join(
                '\n',
                seen.Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Step} {entry.At}"))
            )
        );
        return 0;
    }

    // Stopwatch reads CLOCK_MONOTONIC, as Python's time.monotonic_ns does.
    private static long Nanoseconds() => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));

    /// <summary>Notes when each step leaves the engine.</summary>
    private sealed class TimedRunner(IJobRunner inner, ConcurrentDictionary<(string Name, int Step), long> left)
        : IJobRunner
    {
        public IEnumerable<(int Step, IMessage Message)> Run(
            IMessage request,
            JobAttempt attempt,
            CancellationToken cancellationToken
        )
        {
            foreach (var happened in inner.Run(request, attempt, cancellationToken))
            {
                if (happened.Message is V1.TrainResponse { Progress: { } progress })
                {
                    left[(attempt.Ticket.Name, progress.Step)] = Nanoseconds();
                }

                yield return happened;
            }
        }
    }
}
