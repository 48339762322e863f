using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Dti.V1;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Bench.Load;

/// <summary>
/// Many callers at once, each with a connection of its own, while the server trains: first such that only look into the
/// library, then such that also ask for pictures and trainings, of which a bounded queue takes so many. What each is
/// answered, how soon, and what it costs the training.
/// </summary>
internal static class ManyCallers
{
    /// <summary>The command line's word for the process of the callers.</summary>
    public const string ClientVerb = "callers-client";

    private const string Looking = "look";
    private const string Asking = "ask";
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(5);

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var (callers, steps, rounds) = (
            arguments.Number("--callers", 200),
            arguments.Number("--steps", 200),
            arguments.Number("--rounds", 3)
        );
        var folder = Directory.CreateTempSubdirectory("dti-callers-");
        var (training, server, address) = await TimedTraining
            .StartAsync(arguments, folder.FullName)
            .ConfigureAwait(false);
        using var own = server;
        try
        {
            await training.RunAsync("warm", steps, null).ConfigureAwait(false);
            var before = ServerProcess.ResidentMebibytes(server);
            var table = new Table("callers", "call", "answer", "times", "ms, median", "p99", "most");
            var costs = new Table(
                "callers",
                "training thread's time, with to without",
                "on the wall",
                "MiB before",
                "after"
            );
            foreach (var kind in arguments.Text("--kinds", $"{Looking},{Asking}").Split(','))
            {
                var (thread, wall, answers) = (new Ratios(), new Ratios(), new List<string[]>());
                for (var round = 0; round < rounds; round++)
                {
                    var (alone, _) = await training
                        .RunAsync($"alone-{kind}-{round}", steps, null)
                        .ConfigureAwait(false);
                    var (beside, said) = await training
                        .RunAsync($"beside-{kind}-{round}", steps, job =>
                            [ClientVerb, address, job, $"{callers}", kind]
                        )
                        .ConfigureAwait(false);
                    thread.Add(beside.Training, alone.Training);
                    wall.Add(beside.Wall, alone.Wall);
                    answers.AddRange(
                        said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))
                    );
                }

                costs.Add(
                    $"{callers} who {kind}",
                    $"{thread}",
                    $"{wall}",
                    $"{before:F0}",
                    $"{ServerProcess.ResidentMebibytes(server):F0}"
                );
                foreach (
                    var group in answers
                        .GroupBy(answer => (Call: answer[0], Answer: answer[1]))
                        .OrderBy(group => group.Key)
                )
                {
                    var took = group
                        .Select(answer => double.Parse(answer[2], CultureInfo.InvariantCulture))
                        .Order()
                        .ToArray();
                    table.Add(
                        $"{callers} who {kind}",
                        group.Key.Call,
                        group.Key.Answer,
                        $"{took.Length}",
                        Ms(took, 0.5),
                        Ms(took, 0.99),
                        Ms(took, 1)
                    );
                }
            }

            var path = Path.Combine(Folders.Bench, "callers");
            table.Save(
                "callers",
                $"{callers} callers at once, each on a connection of its own and all on one core, beside a training of {steps} steps of {training.What} on one thread, {rounds} rounds (`Dti.Bench callers`). Each waits up to two seconds between its calls."
            );
            File.AppendAllText(
                path + ".md",
                $"\nWhat they cost the training, by turns without and with them: median (least to most). Those who ask have their pictures drawn between its steps.\n\n{costs.Markdown()}"
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
    /// Calls until a job ends, then writes a line for each call: what, how it was answered, milliseconds.
    /// </summary>
    public static async Task<int> RunClientAsync(string address, string jobId, int callers, string kind)
    {
        using var end = new CancellationTokenSource();
        var answers = new ConcurrentQueue<string>();
        var all = Enumerable
            .Range(0, callers)
            .Select(index => Task.Run(() => CallAsync(address, index, kind, answers, end.Token)))
            .ToArray();
        using (var channel = GrpcChannel.ForAddress(address))
        using (
            var watch = new JobService.JobServiceClient(channel).Watch(
                new JobServiceWatchRequest { JobId = jobId, FromStep = int.MaxValue }
            )
        )
        {
            while (await watch.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false)) { }
        }

        await end.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(all).ConfigureAwait(false);
        Console.Write(string.Concat(answers.Select(answer => answer + "\n")));
        return 0;
    }

    private static async Task CallAsync(
        string address,
        int index,
        string kind,
        ConcurrentQueue<string> answers,
        CancellationToken end
    )
    {
        var random = new Random(index);
        using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { MaxReceiveMessageSize = null });
        while (!end.IsCancellationRequested)
        {
            var start = Stopwatch.GetTimestamp();
            var options = new CallOptions(deadline: DateTime.UtcNow + _longest, cancellationToken: end);
            var (call, answer) = await CallAsync(
                    channel,
                    kind == Looking ? random.Next(3) : random.Next(6),
                    index,
                    options
                )
                .ConfigureAwait(false);
            if (!end.IsCancellationRequested)
            {
                answers.Enqueue(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{call}\t{answer}\t{Stopwatch.GetElapsedTime(start).TotalMilliseconds:F1}"
                    )
                );
            }

            await Task.Delay(random.Next(2000), end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<(string Call, string Answer)> CallAsync(
        GrpcChannel channel,
        int which,
        int index,
        CallOptions options
    )
    {
        var concepts = new ConceptService.ConceptServiceClient(channel);
        var (call, act) = which switch
        {
            0 => ("list concepts", (Func<Task>)(async () => await concepts.ListAsync(new(), options))),
            1 => ("list jobs", async () => await new JobService.JobServiceClient(channel).ListAsync(new(), options)),
            2 => ("inspect", async () => await concepts.InspectAsync(new() { Name = "warm" }, options)),
            3 or 4 => ("draw", () =>
                DrainAsync(new DtiService.DtiServiceClient(channel).Generate(Drawing(index), options))
            ),
            _ => ("train", () => DrainAsync(new DtiService.DtiServiceClient(channel).Train(Training(index), options))),
        };
        try
        {
            await act().ConfigureAwait(false);
            return (call, "OK");
        }
        catch (RpcException error)
        {
            var status = error.GetRpcStatus();
            var reason = status?.GetDetail<ErrorInfo>()?.Reason ?? "";
            var retry =
                error.StatusCode == StatusCode.ResourceExhausted
                    ? status?.GetDetail<RetryInfo>() is { } info
                        ? $", again after {info.RetryDelay.Seconds} s"
                        : ", without a delay"
                    : "";
            return (call, $"{error.StatusCode} {reason}{retry}".Trim());
        }
    }

    private static GenerateRequest Drawing(int index) =>
        new()
        {
            Options = new GenerationOptions
            {
                Model = "dti-mini",
                Prompt = "a photo of <warm>",
                Width = 64,
                Height = 64,
                Steps = 2,
                Seed = (ulong)index,
            },
        };

    private static TrainRequest Training(int index) =>
        new()
        {
            Name = $"caller-{index}",
            Overwrite = true,
            CancelOnDisconnect = true,
            Photos =
            {
                new Photo { FileName = "a.png", Data = ByteString.CopyFrom(ModelCase.Noise(64)) },
            },
            Options = new TrainingOptions
            {
                Model = "dti-mini",
                Steps = 2,
                BatchSize = 1,
                Resolution = 64,
                PreviewEvery = 0,
            },
        };

    private static async Task DrainAsync<T>(AsyncServerStreamingCall<T> call)
    {
        using var own = call;
        while (await call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false)) { }
    }

    private static string Ms(double[] sorted, double share) =>
        sorted[(int)(share * (sorted.Length - 1))].ToString("F1", CultureInfo.InvariantCulture);
}
