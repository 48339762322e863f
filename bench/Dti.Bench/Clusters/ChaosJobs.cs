using System.Collections.Concurrent;
using System.Security.Cryptography;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Bench.Clusters;

/// <summary>
/// What callers do to a cluster whose hosts fail: they submit a job to some gateway, watch it, reconnect to another
/// gateway when the stream is lost, and continue after the last step that they saw.
/// </summary>
/// <param name="gateways">Channels to the gateways.</param>
/// <param name="random">Chooses gateways.</param>
internal sealed class ChaosJobs(IReadOnlyList<GrpcChannel> gateways, Random random)
{
    private const int TrainingSteps = 40;
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(500);

    /// <summary>The statuses with which calls ended that did not succeed, and how many.</summary>
    public ConcurrentDictionary<string, int> Failures { get; } = new();

    /// <summary>What contradicts the promises.</summary>
    public ConcurrentBag<string> Wrong { get; } = [];

    /// <summary>Generations that were submitted again, as their stream was lost.</summary>
    public int Repeated => _repeated;

    private int _repeated;

    /// <summary>Trainings whose process was killed twice at one step, which the server does not try again.</summary>
    public ConcurrentBag<string> Quarantined { get; } = [];

    /// <summary>Trains a concept, whatever happens to the hosts.</summary>
    /// <returns>The job, and a hash of the vectors; null: it was quarantined.</returns>
    public async Task<(string JobId, string? Vectors)> TrainAsync(string name)
    {
        var request = Training(name);
        var (jobId, seen, isOver) = ("", 0, false);
        while (!isOver)
        {
            var channel = Choose();
            try
            {
                if (jobId.Length == 0)
                {
                    using var call = new DtiService.DtiServiceClient(channel).Train(request);
                    var from = 0; // attached, it begins with what was seen already
                    while (await call.ResponseStream.MoveNext().ConfigureAwait(false))
                    {
                        jobId = call.ResponseStream.Current.Accepted?.JobId ?? jobId;
                        isOver |= See(name, call.ResponseStream.Current, ref from, ref seen);
                    }
                }
                else
                {
                    using var call = new JobService.JobServiceClient(channel).Watch(
                        new JobServiceWatchRequest { JobId = jobId, FromStep = seen + 1 }
                    );
                    var from = seen;
                    while (await call.ResponseStream.MoveNext().ConfigureAwait(false))
                    {
                        isOver |= See(name, call.ResponseStream.Current.Event, ref from, ref seen);
                    }
                }
            }
            catch (RpcException error)
            {
                isOver = IsFinal(name, error);
            }

            if (!isOver)
            {
                await Task.Delay(_pause).ConfigureAwait(false);
            }
        }

        if (Quarantined.Contains(name))
        {
            return (jobId, null);
        }

        if (seen != TrainingSteps)
        {
            Wrong.Add($"{name}: its watcher saw {seen} of {TrainingSteps} steps");
        }

        return (jobId, Hash(await VectorsAsync(name).ConfigureAwait(false)));
    }

    /// <summary>Generates images; again if the stream is lost, as the job ends with it.</summary>
    /// <returns>A hash of the images.</returns>
    public async Task<string> GenerateAsync()
    {
        while (true)
        {
            try
            {
                using var call = new DtiService.DtiServiceClient(Choose()).Generate(
                    new GenerateRequest
                    {
                        Options = new GenerationOptions
                        {
                            Prompt = "a dog",
                            Width = 64,
                            Height = 64,
                            Steps = 8,
                            NumImages = 2,
                            Seed = 3,
                            OmitMetadata = true,
                        },
                    }
                );
                var (step, images) = (0, new List<byte[]>());
                while (await call.ResponseStream.MoveNext().ConfigureAwait(false))
                {
                    var current = call.ResponseStream.Current;
                    if (current.Progress is { } progress && progress.Step != ++step)
                    {
                        Wrong.Add($"a generation: step {progress.Step} instead of {step}");
                        step = progress.Step;
                    }

                    if (current.Picture is { } picture)
                    {
                        images.Add(picture.Data.ToByteArray());
                    }

                    if (current.Result is not null)
                    {
                        return Hash([.. images.SelectMany(image => image)]);
                    }
                }

                Wrong.Add("a generation: its stream ended without a result");
            }
            catch (RpcException error)
            {
                IsFinal("a generation", error);
            }

            Interlocked.Increment(ref _repeated);
            await Task.Delay(_pause).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Looks at a finished training through a gateway: its state, its steps from the first on, and its one result.
    /// </summary>
    public async Task CheckAsync(string name, string jobId, GrpcChannel gateway)
    {
        var jobs = new JobService.JobServiceClient(gateway);
        var job = (await jobs.GetAsync(new JobServiceGetRequest { JobId = jobId }).ConfigureAwait(false)).Job;
        if (job.State != JobState.Succeeded)
        {
            Wrong.Add($"{name}: {job.State} {job.Error}");
        }

        using var watch = jobs.Watch(new JobServiceWatchRequest { JobId = jobId });
        var (steps, results) = (new List<int>(), 0);
        while (await watch.ResponseStream.MoveNext().ConfigureAwait(false))
        {
            var current = watch.ResponseStream.Current.Event;
            steps.AddRange(current.Progress is { } progress ? [progress.Step] : []);
            results += current.Result is null ? 0 : 1;
        }

        if (!steps.SequenceEqual(Enumerable.Range(1, TrainingSteps)) || results != 1)
        {
            Wrong.Add($"{name}: its log has {steps.Count} steps and {results} results");
        }
    }

    /// <summary>Every job that a gateway knows.</summary>
    public static async Task<IReadOnlyList<Job>> ListAsync(GrpcChannel gateway) =>
        (
            await new JobService.JobServiceClient(gateway)
                .ListAsync(new JobServiceListRequest { PageSize = 1000 })
                .ConfigureAwait(false)
        ).Jobs;

    private static TrainRequest Training(string name) =>
        new()
        {
            RequestId = name,
            Name = name,
            Photos =
            {
                new Photo { FileName = "a.png", Data = ByteString.CopyFrom(ModelCase.Noise(64)) },
            },
            Options = new TrainingOptions
            {
                Steps = TrainingSteps,
                BatchSize = 1,
                Resolution = 64,
                PreviewEvery = 0,
                Seed = 7,
                Initializer = "dog",
            },
        };

    private GrpcChannel Choose()
    {
        lock (random)
        {
            return gateways[random.Next(gateways.Count)];
        }
    }

    /// <summary>Compares an event with what comes next in its stream.</summary>
    /// <returns>Whether it is the result.</returns>
    private bool See(string name, TrainResponse response, ref int inStream, ref int seen)
    {
        if (response.Progress is { } progress)
        {
            if (progress.Step != ++inStream)
            {
                Wrong.Add($"{name}: step {progress.Step} instead of {inStream}");
                inStream = progress.Step;
            }

            seen = Math.Max(seen, progress.Step);
        }

        return response.Result is not null;
    }

    /// <summary>Whether nothing more comes of a job whose call failed.</summary>
    private bool IsFinal(string name, RpcException error)
    {
        if (error.Status.DebugException is not null)
        {
            // the connection was lost; gRPC reports that in several ways, INTERNAL among them
            Failures.AddOrUpdate("connections lost", 1, (_, count) => count + 1);
            return false;
        }

        Failures.AddOrUpdate($"{error.StatusCode}", 1, (_, count) => count + 1);
        if (error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason == "JOB_QUARANTINED")
        {
            Quarantined.Add(name);
            return true;
        }

        if (
            error.StatusCode
            is StatusCode.Unavailable
                or StatusCode.DeadlineExceeded
                or StatusCode.Cancelled
                or StatusCode.ResourceExhausted
        )
        {
            return false;
        }

        Wrong.Add($"{name}: {error.StatusCode} {error.Status.Detail}");
        return true;
    }

    private async Task<byte[]> VectorsAsync(string name) =>
        await Patiently
            .DoAsync(async () =>
                SafetensorsBytes.OfTensors(
                    (
                        await new ConceptService.ConceptServiceClient(Choose())
                            .ExportAsync(
                                new ConceptServiceExportRequest { Name = name, Format = ConceptFormat.Webui },
                                deadline: DateTime.UtcNow.AddSeconds(10)
                            )
                            .ConfigureAwait(false)
                    ).Data
                )
            )
            .ConfigureAwait(false);

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
