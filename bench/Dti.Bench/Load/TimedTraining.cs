using System.Diagnostics;
using System.Globalization;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Bench.Load;

/// <summary>
/// Trainings on a server in a process of its own, timed, with or without a crowd of clients in another process that has
/// one core and no more.
/// </summary>
/// <param name="server">The server.</param>
/// <param name="address">Its address.</param>
/// <param name="core">The core that the crowd is given; negative: any.</param>
/// <param name="model">A checkpoint's name on the server; dti-mini needs none.</param>
/// <param name="side">Pixels.</param>
internal sealed class TimedTraining(Process server, string address, int core, string model, int side)
{
    private const string Mini = "dti-mini";

    /// <summary>
    /// Starts a server that trains on one thread, and asks for trainings of what the arguments name: <c>--model FILE
    /// --side 256</c>, or dti-mini.
    /// </summary>
    /// <param name="arguments">The command's.</param>
    /// <param name="folder">The server's data folder.</param>
    public static async Task<(TimedTraining Training, Process Server, string Address)> StartAsync(
        Arguments arguments,
        string folder
    )
    {
        var model = arguments.Text("--model", "");
        string[] words = model.Length == 0 ? [] : ["--models", Path.GetFullPath(model)];
        var (server, address, _) = await ServerProcess
            .StartAsync(arguments.Text("--program", "dti"), folder, new() { ["OMP_NUM_THREADS"] = "1" }, null, words)
            .ConfigureAwait(false);
        var name = model.Length == 0 ? Mini : Path.GetFileNameWithoutExtension(model);
        return (
            new(
                server,
                address,
                arguments.Number("--client-core", Environment.ProcessorCount - 1),
                name,
                arguments.Number("--side", 128)
            ),
            server,
            address
        );
    }

    /// <summary>What is trained, in words.</summary>
    public string What => $"{model} at {side} × {side}";

    /// <summary>Trains.</summary>
    /// <param name="name">The concept.</param>
    /// <param name="steps">Steps, of which the second half is timed.</param>
    /// <param name="crowd">The words that begin the crowd, from the job's id; null: there is none.</param>
    /// <returns>What a step took, and what the crowd said.</returns>
    public async Task<(TrainingThread Step, string Said)> RunAsync(
        string name,
        int steps,
        Func<string, string[]>? crowd
    )
    {
        using var channel = GrpcChannel.ForAddress(address);
        using var call = new DtiService.DtiServiceClient(channel).Train(
            new TrainRequest
            {
                Name = name,
                Photos =
                {
                    new Photo { FileName = "a.png", Data = ByteString.CopyFrom(ModelCase.Noise(side)) },
                },
                Options = new TrainingOptions
                {
                    Model = model,
                    Steps = steps,
                    BatchSize = 1,
                    Resolution = side,
                    Initializer = "cat",
                    PreviewEvery = 0,
                    Seed = 7,
                    Placeholder = $"<{name}>",
                },
            }
        );
        Process? clients = null;
        var said = Task.FromResult("");
        TrainingThread? half = null,
            end = null;
        await foreach (var happened in call.ResponseStream.ReadAllAsync().ConfigureAwait(false))
        {
            if (happened.Accepted is { } accepted && crowd is not null)
            {
                clients = Start(crowd(accepted.JobId));
                said = clients.StandardOutput.ReadToEndAsync();
            }

            half = happened.Progress?.Step == steps / 2 ? TrainingThread.Now(server) : half;
            end = happened.Progress?.Step == steps ? TrainingThread.Now(server) : end;
        }

        var took = (end! - half!) / (steps - (steps / 2));
        var words = await said.ConfigureAwait(false);
        clients?.Dispose();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {took.Wall * 1000:F1} ms a step, {took.Training * 1000:F1} on a core, {took.Waiting * 1000:F1} waiting for one, {took.All * 1000:F1} of all threads"
            )
        );
        return (took, words);
    }

    private Process Start(string[] words)
    {
        string[] all = [Environment.ProcessPath!, .. words];
        string[] pinned = core < 0 ? all : ["taskset", "--cpu-list", $"{core}", .. all];
        return Process.Start(new ProcessStartInfo(pinned[0], pinned[1..]) { RedirectStandardOutput = true })!;
    }
}
