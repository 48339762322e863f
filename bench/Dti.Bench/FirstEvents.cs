using System.Diagnostics;
using System.Globalization;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Bench;

/// <summary>
/// How soon the first event of a call comes, by a real channel, from a server in another process that has the model
/// loaded and nothing else to do.
/// </summary>
internal static class FirstEvents
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var rounds = arguments.Number("--rounds", 100);
        var data = Directory.CreateTempSubdirectory("dti-first-events-");
        var (process, address, _) = await ServerProcess
            .StartAsync(arguments.Text("--program", "dti"), data.FullName, [], null)
            .ConfigureAwait(false);
        try
        {
            using var channel = GrpcChannel.ForAddress(address);
            var client = new DtiService.DtiServiceClient(channel);
            var photo = ByteString.CopyFrom(ModelCase.Noise(128));
            var table = new Table(
                "call",
                "calls",
                "first event, median ms",
                "p90 ms",
                "most ms",
                "all of it, median ms"
            );
            await MeasureAsync(table, "Generate, one step", rounds, _ => client
                        .Generate(
                            new GenerateRequest
                            {
                                Options = new GenerationOptions
                                {
                                    Prompt = "a red circle",
                                    Steps = 1,
                                    Seed = 1,
                                },
                            }
                        )
                        .ResponseStream)
                .ConfigureAwait(false);
            await MeasureAsync(table, "Train, one step, one photo", rounds, i => client
                        .Train(
                            new TrainRequest
                            {
                                Name = $"first-{i}",
                                Photos = { new Photo { Data = photo } },
                                Options = new TrainingOptions
                                {
                                    Steps = 1,
                                    BatchSize = 1,
                                    PreviewEvery = 0,
                                    Placeholder = $"<first-{i}>",
                                    Seed = 1,
                                },
                            }
                        )
                        .ResponseStream)
                .ConfigureAwait(false);
            table.Save(
                "first-events",
                "From the call to its first event, which says what was accepted: dti-mini, warm, one call at a time, both processes on the same cores (`Dti.Bench first-events`)."
            );
            return 0;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync().ConfigureAwait(false);
            process.Dispose();
            data.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync<T>(
        Table table,
        string call,
        int rounds,
        Func<int, IAsyncStreamReader<T>> start
    )
        where T : class
    {
        const int warmUp = 30; // until the runtime has optimised what it runs often
        var (first, all) = (new List<double>(), new List<double>());
        for (var i = 0; i < warmUp + rounds; i++)
        {
            var began = Stopwatch.GetTimestamp();
            var events = start(i);
            await events.MoveNext().ConfigureAwait(false);
            first.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            while (await events.MoveNext().ConfigureAwait(false)) { }

            all.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        var (warm, whole) = (first.Skip(warmUp).Order().ToArray(), all.Skip(warmUp).Order().ToArray());
        string Ms(double[] sorted, double share) =>
            sorted[(int)(share * (sorted.Length - 1))].ToString("F1", CultureInfo.InvariantCulture);
        table.Add(call, $"{rounds}", Ms(warm, 0.5), Ms(warm, 0.9), Ms(warm, 1), Ms(whole, 0.5));
    }
}
