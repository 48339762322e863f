using System.Diagnostics;
using System.Globalization;
using Dti.Server;
using Dti.Server.Configuration;
using Dti.Tests;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;

namespace Dti.Bench;

/// <summary>
/// Messages that nobody would send, over every RPC: what was answered, and whether the server still works.
/// </summary>
internal static class RpcFuzzing
{
    private const int Parts = 5;

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var (count, seed) = (arguments.Number("--count", 100_000), arguments.Number("--seed", 1));
        var folder = Directory.CreateTempSubdirectory("dti-fuzz-");
        var app = DtiHost.Build(
            new DtiServerOptions
            {
                Port = 0,
                ConceptFolder = Path.Combine(folder.FullName, "concepts"),
                ModelFolders = [Folders.Fixture("tiny-sd15")],
                BuiltInModel = null,
                Limits = new()
                {
                    MaxTrainingSteps = 1,
                    MaxBatchSize = 1,
                    MaxResolution = 64,
                    MaxPictures = 2,
                    MaxPixels = 64 * 64,
                    MaxSamplingSteps = 1,
                },
            },
            builder => builder.Logging.AddFilter(null, LogLevel.Error)
        );
        await app.StartAsync().ConfigureAwait(false);
        var began = Stopwatch.GetTimestamp();
        var answers = new Dictionary<RpcFuzz.Answer, int>();
        for (var part = 0; part < Parts; part++)
        {
            var some = await new RpcFuzz(
                DtiHost.AddressOf(app),
                (seed * Parts) + part,
                ModelCase.Noise(64),
                "one",
                "two",
                "tiny-sd15",
                "dog"
            )
                .RunAsync(count / Parts, parallel: 4, CancellationToken.None)
                .ConfigureAwait(false);
            foreach (var (answer, times) in some)
            {
                answers[answer] = answers.GetValueOrDefault(answer) + times;
            }

            ProcessMemory.RestartPeak(); // collects garbage first
            using var process = Process.GetCurrentProcess();
            Console.WriteLine(
                $"after {count / Parts * (part + 1)} messages: {Table.Mebibytes(ProcessMemory.ResidentBytes)} MiB, {process.HandleCount} handles, {process.Threads.Count} threads"
            );
        }

        foreach (
            var status in answers
                .GroupBy(answer => answer.Key.Status)
                .OrderByDescending(group => group.Sum(answer => answer.Value))
        )
        {
            Console.WriteLine(
                $"{status.Key}: {status.Sum(answer => answer.Value)} ({string.Join(", ", status.Select(answer => answer.Key.Reason).Distinct().Order())})"
            );
        }

        var wrong = answers.Where(answer => !RpcFuzz.IsDocumented(answer.Key)).ToList();
        wrong.ForEach(answer => Console.WriteLine($"not documented: {answer.Value} × {answer.Key}"));
        using var channel = GrpcChannel.ForAddress(DtiHost.AddressOf(app));
        var health = await new Grpc.Health.V1.Health.HealthClient(channel).CheckAsync(new()).ConfigureAwait(false);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{count} messages in {Stopwatch.GetElapsedTime(began).TotalSeconds:F0} s; the server says {health.Status}."
            )
        );
        await app.StopAsync().ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
        folder.Delete(recursive: true);
        return wrong.Count;
    }
}
