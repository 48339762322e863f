using System.Diagnostics;
using System.Globalization;
using Dti.Server;
using Dti.Server.Configuration;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Grains;
using Dti.Server.Security;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Bench;

/// <summary>
/// What each thing that is done with jobs takes as more of them wait; a server with its jobs on disk, called through
/// its port, whose device does nothing.
/// </summary>
internal static class QueueGrowth
{
    private const int MostWaiting = 10_000; // what the option allows

    public static async Task<int> RunAsync(Arguments arguments)
    {
        var counts = arguments
            .Text("--counts", "10,100,1000,10000")
            .Split(',')
            .Select(count => int.Parse(count, CultureInfo.InvariantCulture))
            .ToArray();
        var rounds = arguments.Number("--rounds", 20);
        var table = new Table(
            "jobs waiting",
            "submit ms",
            "written KiB",
            "call and submit ms",
            "list 100 ms",
            "list those that run ms",
            "place of the first ms",
            "pull and finish ms",
            "cancel ms",
            "start ms"
        );
        foreach (var wanted in counts)
        {
            var count = Math.Min(wanted, MostWaiting - (2 * rounds) - 2); // with room for those that are measured
            var folder = Directory.CreateTempSubdirectory("dti-queue-");
            try
            {
                using var gate = new Gate();
                var ids = await FillAsync(folder.FullName, gate, count).ConfigureAwait(false);
                var start = Stopwatch.GetTimestamp();
                await using var server = await StartAsync(folder.FullName, gate).ConfigureAwait(false);
                var started = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                table.Add([
                    $"{count}",
                    .. await MeasureAsync(server, gate, ids[1], rounds).ConfigureAwait(false),
                    Text(started),
                ]);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }

        table.Save(
            "queue",
            "What is done with jobs, by how many wait (`Dti.Bench queue`); medians, wall clock, one job at a time, each change on disk before it is answered."
        );
        return 0;
    }

    private static async Task<List<string>> FillAsync(string folder, Gate gate, int count)
    {
        await using var server = await StartAsync(folder, gate).ConfigureAwait(false);
        var jobs = server.Services.GetRequiredService<IJobs>();
        var ids = new List<string>();
        for (var i = 0; i < count; i++)
        {
            ids.Add(await SubmitAsync(jobs, $"fill-{i}").ConfigureAwait(false));
        }

        await server.StopAsync().ConfigureAwait(false);
        return ids;
    }

    private static async Task<string[]> MeasureAsync(WebApplication server, Gate gate, string firstWaiting, int rounds)
    {
        using var channel = GrpcChannel.ForAddress(DtiHost.AddressOf(server));
        var (dti, calls) = (new DtiService.DtiServiceClient(channel), new JobService.JobServiceClient(channel));
        var jobs = server.Services.GetRequiredService<IJobs>();
        var photo = ByteString.CopyFrom(ModelCase.Noise(64));
        var submitted = new Stack<string>();
        async Task CallAsync(int i)
        {
            var request = new TrainRequest
            {
                Name = $"called-{i}-{submitted.Count}",
                Photos = { new Photo { Data = photo } },
                Options = new TrainingOptions
                {
                    Steps = 10,
                    Resolution = 64,
                    PreviewEvery = 0,
                },
            };
            using var call = dti.Train(request);
            await call.ResponseStream.MoveNext().ConfigureAwait(false);
            submitted.Push(call.ResponseStream.Current.Accepted.JobId);
        }

        await CallAsync(-1).ConfigureAwait(false); // warm
        var written = Written();
        var submit = await MedianAsync(rounds, async i =>
                submitted.Push(await SubmitAsync(jobs, $"more-{i}").ConfigureAwait(false))
            )
            .ConfigureAwait(false);
        var kibibytes = (Written() - written) / 1024.0 / rounds;
        var called = await MedianAsync(rounds, CallAsync).ConfigureAwait(false);
        var list = await MedianAsync(9, async _ => await calls.ListAsync(new JobServiceListRequest { PageSize = 100 }))
            .ConfigureAwait(false);
        var running = await MedianAsync(3, async _ =>
                await calls.ListAsync(new JobServiceListRequest { States = { JobState.Running } })
            )
            .ConfigureAwait(false);
        var place = await MedianAsync(9, async _ =>
            {
                using var watch = calls.Watch(new JobServiceWatchRequest { JobId = firstWaiting });
                while (
                    await watch.ResponseStream.MoveNext().ConfigureAwait(false)
                    && watch.ResponseStream.Current.Event?.Queued is null
                ) { }
            })
            .ConfigureAwait(false);
        var cancel = await MedianAsync(rounds, async _ =>
                await calls.CancelAsync(new JobServiceCancelRequest { JobId = submitted.Pop() })
            )
            .ConfigureAwait(false);
        var pull = await gate.PassAsync(rounds).ConfigureAwait(false);
        return
        [
            Text(submit),
            kibibytes.ToString("F0", CultureInfo.InvariantCulture),
            Text(called),
            Text(list),
            Text(running),
            Text(place),
            Text(pull),
            Text(cancel),
        ];
    }

    private static async Task<WebApplication> StartAsync(string folder, Gate gate)
    {
        var options = new DtiServerOptions
        {
            Port = 0,
            ConceptFolder = Path.Combine(folder, "concepts"),
            JobFolder = Path.Combine(folder, "jobs"),
            ModelFolders = [Folders.Fixture("tiny-sd15")],
            Device = "cpu",
            MaxQueuedJobs = MostWaiting,
        };
        var server = DtiHost.Build(options, builder => builder.Services.AddSingleton<IJobRunner>(gate));
        await server.StartAsync().ConfigureAwait(false);
        return server;
    }

    private static async Task<string> SubmitAsync(IJobs jobs, string name)
    {
        var ticket = JobTicket.New(JobKind.Train, Caller.Local) with { Name = name, TotalSteps = 10 };
        var accepted = new TrainResponse
        {
            Accepted = new TrainAccepted { JobId = ticket.JobId, Name = name },
        };
        var submission = new JobSubmission(ticket, new TrainRequest { Name = name }, accepted);
        return (await jobs.SubmitAsync(submission).ConfigureAwait(false)).JobId;
    }

    private static async Task<double> MedianAsync(int rounds, Func<int, Task> work)
    {
        var took = new List<double>();
        for (var i = 0; i < rounds; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await work(i).ConfigureAwait(false);
            took.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return took.Order().ElementAt(rounds / 2);
    }

    /// <summary>Bytes that this process has given the system to write.</summary>
    private static long Written() =>
        long.Parse(
            File.ReadLines("/proc/self/io")
                .First(line => line.StartsWith("wchar", StringComparison.Ordinal))
                .Split(' ')[1],
            CultureInfo.InvariantCulture
        );

    private static string Text(double milliseconds) =>
        milliseconds.ToString(milliseconds < 10 ? "F2" : "F0", CultureInfo.InvariantCulture);

    /// <summary>A device whose jobs take no time, once they may pass.</summary>
    private sealed class Gate : IJobRunner, IDisposable
    {
        private readonly SemaphoreSlim _free = new(0);
        private readonly SemaphoreSlim _passed = new(0);

        /// <summary>Milliseconds a job, over some.</summary>
        public async Task<double> PassAsync(int jobs)
        {
            _free.Release(1);
            await _passed.WaitAsync().ConfigureAwait(false); // the one that waited here already
            var start = Stopwatch.GetTimestamp();
            _free.Release(jobs);
            for (var i = 0; i < jobs; i++)
            {
                await _passed.WaitAsync().ConfigureAwait(false);
            }

            return Stopwatch.GetElapsedTime(start).TotalMilliseconds / jobs;
        }

        public IEnumerable<(int Step, IMessage Message)> Run(
            IMessage request,
            JobAttempt attempt,
            CancellationToken cancellationToken
        )
        {
            _free.Wait(cancellationToken);
            _passed.Release();
            yield break;
        }

        public void Dispose()
        {
            _free.Dispose();
            _passed.Dispose();
        }
    }
}
