using System.Diagnostics;
using System.Globalization;
using Grpc.Health.V1;
using Grpc.Net.Client;
using TorchSharp;

namespace Dti.Bench;

/// <summary>
/// How long <c>dti serve</c> takes from nothing to ready, without a model, and what libtorch's loading alone takes.
/// </summary>
internal static class Starts
{
    /// <summary>The command line's word for a process that only loads libtorch.</summary>
    public const string TorchVerb = "load-torch";

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var count = arguments.Number("--count", 15);
        var (listening, serving, processor, torch) = (
            new List<double>(),
            new List<double>(),
            new List<double>(),
            new List<double>()
        );
        for (var i = 0; i < count; i++)
        {
            var data = Directory.CreateTempSubdirectory("dti-starts-");
            var start = Stopwatch.GetTimestamp();
            var (process, address, _) = await ServerProcess
                .StartAsync(arguments.Text("--program", "dti"), data.FullName, [], null)
                .ConfigureAwait(false);
            listening.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            using (process)
            {
                using var channel = GrpcChannel.ForAddress(address);
                var health = await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest());
                serving.Add(
                    health.Status == HealthCheckResponse.Types.ServingStatus.Serving
                        ? Stopwatch.GetElapsedTime(start).TotalSeconds
                        : throw new InvalidOperationException("The server does not serve.")
                );
                processor.Add(process.TotalProcessorTime.TotalSeconds);
                process.Kill();
                await process.WaitForExitAsync().ConfigureAwait(false);
            }

            data.Delete(recursive: true);
            torch.Add(
                double.Parse(ChildProcess.Output(Environment.ProcessPath!, TorchVerb), CultureInfo.InvariantCulture)
            );
        }

        var table = new Table("start of dti serve", "median s", "least s", "most s");
        void Add(string what, List<double> seconds) =>
            table.Add(
                what,
                Table.Seconds(seconds.Order().ElementAt(count / 2)),
                Table.Seconds(seconds.Min()),
                Table.Seconds(seconds.Max())
            );
        Add("says where it listens", listening);
        Add("health: SERVING", serving);
        Add("processor time until then", processor);
        Add("of it, by itself: loading libtorch", torch);
        table.Save(
            "starts",
            $"`dti serve` is started {count} times as a separate process, with an empty data folder and no model (`Dti.Bench starts`). Times are wall-clock times unless the row says otherwise."
        );
        return 0;
    }

    /// <summary>Loads libtorch, and writes what that took.</summary>
    public static int LoadTorch()
    {
        var start = Stopwatch.GetTimestamp();
        using var one = torch.ones(1);
        Console.WriteLine(Stopwatch.GetElapsedTime(start).TotalSeconds.ToString("F4", CultureInfo.InvariantCulture));
        return 0;
    }
}
