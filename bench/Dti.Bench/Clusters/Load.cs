using System.Collections.Concurrent;
using System.Diagnostics;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Bench.Clusters;

/// <summary>Calls of callers to a cluster that must all succeed.</summary>
/// <param name="gateways">Channels to the gateways, which callers use in turn.</param>
internal sealed class Load(IReadOnlyList<GrpcChannel> gateways)
{
    private readonly ByteString _photo = ByteString.CopyFrom(ModelCase.Noise(64));
    private int _named;

    /// <summary>Submits a training and waits for its first event.</summary>
    /// <param name="steps">Its steps.</param>
    /// <returns>The job's id.</returns>
    public async Task<string> SubmitAsync(int steps)
    {
        using var call = Train(steps, out _);
        await call.ResponseStream.MoveNext().ConfigureAwait(false);
        return call.ResponseStream.Current.Accepted.JobId;
    }

    /// <summary>Submits a training and watches it to its end.</summary>
    /// <param name="steps">Its steps.</param>
    /// <exception cref="InvalidOperationException">Not every step was seen.</exception>
    public async Task TrainAsync(int steps)
    {
        using var call = Train(steps, out var name);
        var (seen, hasResult) = (0, false);
        await foreach (var response in call.ResponseStream.ReadAllAsync().ConfigureAwait(false))
        {
            seen += response.Progress is null ? 0 : 1;
            hasResult |= response.Result is not null;
        }

        if (seen != steps || !hasResult)
        {
            throw new InvalidOperationException($"{name} has {seen} of {steps} steps.");
        }
    }

    /// <summary>Cancels a job.</summary>
    public async Task CancelAsync(string jobId) =>
        await new JobService.JobServiceClient(Gateway(0)).CancelAsync(new JobServiceCancelRequest { JobId = jobId });

    /// <summary>Lists the newest 100 jobs.</summary>
    public async Task ListAsync() =>
        await new JobService.JobServiceClient(Gateway(0)).ListAsync(new JobServiceListRequest { PageSize = 100 });

    /// <summary>The workers that have a model in memory, and all workers.</summary>
    public async Task<(int Loaded, int All)> WorkersAsync()
    {
        var hosts = (await new ClusterService.ClusterServiceClient(Gateway(0)).GetAsync(new())).Hosts;
        return (
            hosts.Count(host => host.Models.Any(model => model.Loaded)),
            hosts.Count(host => host.Devices.Count > 0)
        );
    }

    /// <summary>Does something a number of times.</summary>
    /// <param name="times">How often.</param>
    /// <param name="callers">How many do it at the same time.</param>
    /// <param name="work">What is done, with the number of the time.</param>
    public static async Task<Latencies> RepeatAsync(int times, int callers, Func<int, Task> work)
    {
        var (next, took) = (-1, new ConcurrentBag<double>());
        async Task CallAsync()
        {
            while (Interlocked.Increment(ref next) is var number && number < times)
            {
                var began = Stopwatch.GetTimestamp();
                await work(number).ConfigureAwait(false);
                took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
        }

        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(CallAsync))).ConfigureAwait(false);
        return new Latencies([.. took.Order()], Stopwatch.GetElapsedTime(start));
    }

    private AsyncServerStreamingCall<TrainResponse> Train(int steps, out string name)
    {
        var number = Interlocked.Increment(ref _named);
        name = $"load-{number}";
        return new DtiService.DtiServiceClient(Gateway(number)).Train(
            new TrainRequest
            {
                Name = name,
                Photos =
                {
                    new Photo { FileName = "a.png", Data = _photo },
                },
                Options = new TrainingOptions
                {
                    Steps = steps,
                    Resolution = 64,
                    PreviewEvery = 0,
                },
            }
        );
    }

    private GrpcChannel Gateway(int number) => gateways[number % gateways.Count];
}

/// <summary>What calls took.</summary>
/// <param name="Milliseconds">Of each call, in ascending order.</param>
/// <param name="Elapsed">From the begin of the first to the end of the last.</param>
internal sealed record Latencies(IReadOnlyList<double> Milliseconds, TimeSpan Elapsed)
{
    /// <summary>Calls per second.</summary>
    public double PerSecond => Milliseconds.Count / Elapsed.TotalSeconds;

    /// <summary>What the median call took, in milliseconds.</summary>
    public double Median => Quantile(0.5);

    /// <summary>What 99 % of the calls took at most, in milliseconds.</summary>
    public double P99 => Quantile(0.99);

    private double Quantile(double share) =>
        Milliseconds[Math.Min(Milliseconds.Count - 1, (int)(share * Milliseconds.Count))];
}
