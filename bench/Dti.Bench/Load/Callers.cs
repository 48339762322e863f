using System.Security.Cryptography;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Bench.Load;

/// <summary>
/// Callers of every kind, each at its own pace: they train, draw, blend, look into the library, export, import, delete
/// and watch. Some go away in the middle, some come by connections that break, and one sends what nobody would.
/// </summary>
/// <param name="address">The server.</param>
/// <param name="proxy">The connections that break.</param>
/// <param name="tally">Hears what is answered.</param>
/// <param name="seed">Chooses what is done.</param>
/// <param name="only">Callers to have alone; empty: all.</param>
internal sealed class Callers(Uri address, CuttingProxy proxy, Tally tally, int seed, string[] only)
{
    private const string Model = "dti-mini";
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(5); // of a call: none may hang
    private static readonly string[] _names = ["cat", "dog", "mug", "hat"];
    private readonly byte[] _photo = ModelCase.Noise(64);
    private string? _picture;

    /// <summary>One call, or a few that belong together.</summary>
    /// <param name="Random">Chooses.</param>
    /// <param name="Channel">The way to the server.</param>
    /// <param name="Cancellation">The caller goes away.</param>
    private sealed record Errand(Random Random, GrpcChannel Channel, CancellationTokenSource Cancellation)
    {
        public CallOptions Options => new(deadline: DateTime.UtcNow + _longest, cancellationToken: Cancellation.Token);

        public bool GoesAway { get; private set; }

        /// <summary>When what is answered may have happened; null: when it is answered.</summary>
        public DateTimeOffset? Happened { get; set; }

        /// <summary>In some of such errands the caller goes away in the middle.</summary>
        public void MayGoAway(double chance)
        {
            if (Random.NextDouble() < chance)
            {
                GoesAway = true;
                Cancellation.CancelAfter(Random.Next(3000));
            }
        }
    }

    /// <summary>Calls until told to end; calls that are under way then end by themselves.</summary>
    public async Task RunAsync(CancellationToken end)
    {
        using var direct = Channel(address);
        using var broken = Channel(proxy.Address);
        await Task.WhenAll(
                RepeatAsync(1, "train", direct, TrainAsync, 500, end),
                RepeatAsync(2, "train", direct, TrainAsync, 2000, end),
                RepeatAsync(3, "train over a broken line", broken, TrainAsync, 2000, end),
                RepeatAsync(4, "draw", direct, GenerateImagesAsync, 500, end),
                RepeatAsync(5, "draw over a broken line", broken, GenerateImagesAsync, 1000, end),
                RepeatAsync(6, "draw the same", direct, DrawTheSameAsync, 3000, end),
                RepeatAsync(7, "interpolate", direct, InterpolateAsync, 2000, end),
                RepeatAsync(8, "library", direct, LibraryAsync, 300, end),
                RepeatAsync(9, "library over a broken line", broken, LibraryAsync, 300, end),
                RepeatAsync(10, "watch", direct, WatchAsync, 500, end),
                RepeatAsync(11, "watch over a broken line", broken, WatchAsync, 500, end),
                RepeatAsync(12, "cancel", direct, CancelAsync, 4000, end),
                Has("generated messages") ? FuzzAsync(end) : Task.CompletedTask,
                CutAsync(end)
            )
            .ConfigureAwait(false);
    }

    private bool Has(string who) => only.Length == 0 || only.Contains(who);

    /// <summary>Trains and draws once, when all is quiet: both must succeed.</summary>
    public async Task AfterwardsAsync()
    {
        using var channel = Channel(address);
        var errand = new Errand(new Random(seed), channel, new CancellationTokenSource());
        await DrainAsync(new DtiService.DtiServiceClient(channel).Train(Training("afterwards", 10), errand.Options))
            .ConfigureAwait(false);
        await DrawTheSameAsync(errand).ConfigureAwait(false);
    }

    private static GrpcChannel Channel(Uri to) =>
        GrpcChannel.ForAddress(to, new GrpcChannelOptions { MaxReceiveMessageSize = null });

    private async Task RepeatAsync(
        int number,
        string who,
        GrpcChannel channel,
        Func<Errand, Task> act,
        int pause,
        CancellationToken end
    )
    {
        var random = new Random((seed * 100) + number);
        while (Has(who) && !end.IsCancellationRequested)
        {
            using var cancellation = new CancellationTokenSource();
            var errand = new Errand(random, channel, cancellation);
            try
            {
                await act(errand).ConfigureAwait(false);
                tally.Add(who);
            }
            catch (RpcException error)
            {
                tally.Add(
                    who,
                    error,
                    (errand.GoesAway ? Fault.Cancelled : 0)
                        | (who.EndsWith("broken line", StringComparison.Ordinal) ? Fault.Cut : 0),
                    errand.Happened
                );
            }

            await Task.Delay(random.Next(2 * pause), end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private TrainRequest Training(string name, int steps) =>
        new()
        {
            Name = name,
            Overwrite = true,
            Photos =
            {
                new Photo { FileName = "a.png", Data = ByteString.CopyFrom(_photo) },
            },
            Options = new TrainingOptions
            {
                Model = Model,
                Steps = steps,
                BatchSize = 1,
                Resolution = 64,
                PreviewEvery = 10,
                PreviewSteps = 2,
                Initializer = "dog",
            },
        };

    private static GenerationOptions Drawing(Errand errand, string prompt) =>
        new()
        {
            Model = Model,
            Prompt = prompt,
            Width = 64,
            Height = 64,
            Steps = errand.Random.Next(2, 5),
            NumImages = errand.Random.Next(1, 3),
        };

    private async Task TrainAsync(Errand errand)
    {
        errand.MayGoAway(0.25);
        var request = Training(Any(errand), errand.Random.Next(5, 41));
        request.CancelOnDisconnect = errand.Random.Next(2) == 0;
        request.RequestId = errand.Random.Next(2) == 0 ? $"request-{errand.Random.Next(1_000_000)}" : "";
        var client = new DtiService.DtiServiceClient(errand.Channel);
        try
        {
            await DrainAsync(client.Train(request, errand.Options)).ConfigureAwait(false);
        }
        catch (RpcException error)
            when (request.RequestId.Length > 0 && error.StatusCode is StatusCode.Unavailable or StatusCode.Internal)
        {
            // the same job, if it came to that
            await DrainAsync(client.Train(request, errand.Options)).ConfigureAwait(false);
        }
    }

    private async Task GenerateImagesAsync(Errand errand)
    {
        errand.MayGoAway(0.3);
        var prompt = errand.Random.Next(2) == 0 ? "a red mug" : $"a photo of <{Any(errand)}>";
        await DrainAsync(
                new DtiService.DtiServiceClient(errand.Channel).Generate(
                    new GenerateRequest { Options = Drawing(errand, prompt) },
                    errand.Options
                )
            )
            .ConfigureAwait(false);
    }

    /// <summary>The same seed gives the same picture, whatever else runs.</summary>
    private async Task DrawTheSameAsync(Errand errand)
    {
        var options = Drawing(errand, "a blue teapot");
        (options.Steps, options.NumImages, options.Seed) = (3, 1, 7);
        var pictures = new List<ByteString>();
        using var call = new DtiService.DtiServiceClient(errand.Channel).Generate(
            new GenerateRequest { Options = options },
            errand.Options
        );
        await foreach (var happened in call.ResponseStream.ReadAllAsync().ConfigureAwait(false))
        {
            if (happened.Picture is { } picture)
            {
                pictures.Add(picture.Data);
            }
        }

        var hash = Convert.ToHexString(SHA256.HashData(pictures.Single().Span));
        if ((Interlocked.CompareExchange(ref _picture, hash, null) ?? hash) != hash)
        {
            tally.Tell("the same seed gave another picture");
        }
    }

    private async Task InterpolateAsync(Errand errand)
    {
        errand.MayGoAway(0.2);
        var request = new InterpolateRequest
        {
            FromConcept = Any(errand),
            ToConcept = Any(errand),
            Frames = 2,
            Options = Drawing(errand, ""),
        };
        request.Options.ClearNumImages();
        await DrainAsync(new DtiService.DtiServiceClient(errand.Channel).Interpolate(request, errand.Options))
            .ConfigureAwait(false);
    }

    private async Task LibraryAsync(Errand errand)
    {
        var (concepts, name) = (new ConceptService.ConceptServiceClient(errand.Channel), Any(errand));
        switch (errand.Random.Next(20))
        {
            case < 4:
                await concepts.ListAsync(new(), errand.Options).ConfigureAwait(false);
                break;
            case < 8:
                await concepts.GetAsync(new() { Name = name }, errand.Options).ConfigureAwait(false);
                break;
            case < 11:
                await concepts.InspectAsync(new() { Name = name }, errand.Options).ConfigureAwait(false);
                break;
            case < 17:
                var file = await concepts
                    .ExportAsync(new() { Name = name, Format = ConceptFormat.Webui }, errand.Options)
                    .ConfigureAwait(false);
                await concepts
                    .ImportAsync(
                        new()
                        {
                            Name = $"copy-{errand.Random.Next(4)}",
                            Data = file.Data,
                            Overwrite = true,
                        },
                        errand.Options
                    )
                    .ConfigureAwait(false);
                break;
            case < 18:
                await concepts.DeleteAsync(new() { Name = name }, errand.Options).ConfigureAwait(false);
                break;
            default:
                await new ModelService.ModelServiceClient(errand.Channel)
                    .ListAsync(new(), errand.Options)
                    .ConfigureAwait(false);
                break;
        }
    }

    /// <summary>Of a training each step comes once, from the one on that was asked for.</summary>
    private async Task WatchAsync(Errand errand)
    {
        var jobs = new JobService.JobServiceClient(errand.Channel);
        var known = (await jobs.ListAsync(new() { PageSize = 20 }, errand.Options).ConfigureAwait(false)).Jobs;
        if (known.Count == 0)
        {
            return;
        }

        errand.MayGoAway(0.3);
        var (job, from) = (known[errand.Random.Next(known.Count)], errand.Random.Next(10));
        var next = Math.Max(1, from);
        errand.Happened = job.Ended?.ToDateTimeOffset(); // a job that is over fails again for whoever watches it
        using var call = jobs.Watch(new() { JobId = job.JobId, FromStep = from }, errand.Options);
        await foreach (var happened in call.ResponseStream.ReadAllAsync().ConfigureAwait(false))
        {
            if (happened.Event?.Progress is { } progress && progress.Step != next++)
            {
                tally.Tell(
                    $"a watcher of job {job.JobId} from step {from} saw step {progress.Step} where {next - 1} was due"
                );
                return;
            }
        }
    }

    private static async Task CancelAsync(Errand errand)
    {
        var jobs = new JobService.JobServiceClient(errand.Channel);
        var known = (
            await jobs.ListAsync(new() { States = { JobState.Queued, JobState.Running } }, errand.Options)
                .ConfigureAwait(false)
        ).Jobs;
        if (known.Count > 0)
        {
            await jobs.CancelAsync(new() { JobId = known[errand.Random.Next(known.Count)].JobId }, errand.Options)
                .ConfigureAwait(false);
        }
    }

    private async Task FuzzAsync(CancellationToken end)
    {
        for (var part = 0; !end.IsCancellationRequested; part++)
        {
            var since = DateTimeOffset.UtcNow;
            var fuzz = new RpcFuzz(address, (seed * 10_000) + part, _photo, "one", "two", Model, "dog");
            tally.Add(await fuzz.RunAsync(40, parallel: 2, CancellationToken.None).ConfigureAwait(false), since);
            await Task.Delay(2000, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task CutAsync(CancellationToken end)
    {
        var random = new Random(seed);
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(random.Next(500, 8000), end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            proxy.Cut();
        }
    }

    private static string Any(Errand errand) => _names[errand.Random.Next(_names.Length)];

    private static async Task DrainAsync<T>(AsyncServerStreamingCall<T> call)
    {
        using var own = call;
        await foreach (var _ in call.ResponseStream.ReadAllAsync().ConfigureAwait(false)) { }
    }
}
