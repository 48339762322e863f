using System.Diagnostics;
using Dti.Engine.Imaging;
using Dti.Server.Configuration;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>
/// A real server on a free port, with a folder of its own and a real channel. Fails if anything logged an unexpected
/// error.
/// </summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly GrpcChannel _channel;
    private readonly ErrorCollector _errors = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-server-");

    private TestServer(Func<DtiServerOptions, DtiServerOptions>? change, Action<IServiceCollection>? services)
    {
        Options = new DtiServerOptions
        {
            Port = 0,
            ConceptFolder = Path.Combine(_folder.FullName, "concepts"),
            ModelFolders = [Path.Combine(Fixtures.Root, "tiny-sd15")],
            BuiltInModel = null,
        };
        Options = change?.Invoke(Options) ?? Options;
        try
        {
            _app = DtiHost.Build(Options, builder =>
            {
                builder.Logging.ClearProviders();
                builder.Services.AddSingleton<ILoggerProvider>(_errors);
                builder.Services.AddSingleton(FailingDisk.Files);
                services?.Invoke(builder.Services);
            });
            _app.Start();
        }
        catch
        {
            _app?.DisposeAsync().AsTask().Wait(); // as a process that ends: its locks go
            _folder.Delete(recursive: true);
            throw;
        }

        Address = DtiHost.AddressOf(_app);
        WebAddress = DtiHost.WebAddressOf(_app);
        MetricsAddress = DtiHost.MetricsAddressOf(_app);
        _channel = NewChannel();
        Dti = new DtiService.DtiServiceClient(_channel);
        Jobs = new JobService.JobServiceClient(_channel);
        Concepts = new ConceptService.ConceptServiceClient(_channel);
        Models = new ModelService.ModelServiceClient(_channel);
        Server = new ServerService.ServerServiceClient(_channel);
    }

    /// <summary>What the server is made of.</summary>
    public IServiceProvider Services => _app.Services;

    public Uri Address { get; }

    public Uri? WebAddress { get; }

    public Uri? MetricsAddress { get; }

    public DtiServerOptions Options { get; }

    public DtiService.DtiServiceClient Dti { get; }

    public JobService.JobServiceClient Jobs { get; }

    public ConceptService.ConceptServiceClient Concepts { get; }

    public ModelService.ModelServiceClient Models { get; }

    public ServerService.ServerServiceClient Server { get; }

    /// <param name="change">Other options.</param>
    /// <param name="services">Services in the place of the server's own.</param>
    public static TestServer Start(
        Func<DtiServerOptions, DtiServerOptions>? change = null,
        Action<IServiceCollection>? services = null
    ) => new(change, services);

    public GrpcChannel NewChannel() =>
        GrpcChannel.ForAddress(Address, new GrpcChannelOptions { MaxReceiveMessageSize = null });

    /// <summary>A small photo, different for each number.</summary>
    public static Photo Photo(int number = 0)
    {
        var pixels = new byte[80 * 72 * 3];
        new Random(number).NextBytes(pixels);
        return new Photo
        {
            FileName = $"photo-{number}.png",
            Data = ByteString.CopyFrom(ImageCodec.Encode(new RgbImage(80, 72, pixels), ImageFormat.Png)),
        };
    }

    /// <summary>A training request that takes a second or two.</summary>
    public static TrainRequest Request(string name, int steps = 3, Action<TrainRequest>? change = null)
    {
        var request = new TrainRequest
        {
            Name = name,
            Photos = { Photo(1), Photo(2) },
            Options = new TrainingOptions
            {
                Steps = steps,
                BatchSize = 1,
                Resolution = 64,
                PreviewEvery = 0,
                Seed = 7,
                Initializer = "dog",
            },
        };
        change?.Invoke(request);
        return request;
    }

    public static GenerationOptions Draw(string prompt) =>
        new()
        {
            Prompt = prompt,
            Width = 64,
            Height = 64,
            Steps = 2,
            Seed = 3,
            OmitMetadata = true, // tests compare files
        };

    public async Task<List<TrainResponse>> TrainAsync(TrainRequest request) =>
        await All(Dti.Train(request, cancellationToken: TestContext.Current.CancellationToken));

    public async Task<List<GenerateResponse>> GenerateAsync(GenerationOptions options) =>
        await All(
            Dti.Generate(
                new GenerateRequest { Options = options },
                cancellationToken: TestContext.Current.CancellationToken
            )
        );

    public async Task<byte[]> PictureAsync(GenerationOptions options) =>
        (await GenerateAsync(options)).Single(happened => happened.Picture is not null).Picture.Data.ToByteArray();

    public async Task<List<InterpolateResponse>> InterpolateAsync(InterpolateRequest request) =>
        await All(Dti.Interpolate(request, cancellationToken: TestContext.Current.CancellationToken));

    /// <summary>Waits until a job is in a state; fails if it ends in another, or after two minutes.</summary>
    public async Task<Job> UntilAsync(string jobId, Func<Job, bool> condition)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var job = (await Jobs.GetAsync(new JobServiceGetRequest { JobId = jobId })).Job;
            if (condition(job))
            {
                return job;
            }

            Assert.True(job.Ended is null, $"the job ended as {job.State}: {job.Error}");
            Assert.True(
                Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(2),
                $"the job is {job.State} at step {job.Step}"
            );
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The bytes of a concept's vectors.</summary>
    public async Task<byte[]> VectorsAsync(string name) =>
        SafetensorsBytes.OfTensors(
            (
                await Concepts.ExportAsync(
                    new ConceptServiceExportRequest { Name = name, Format = ConceptFormat.Webui }
                )
            ).Data
        );

    /// <summary>Stops the server as a SIGTERM does.</summary>
    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    /// <summary>Lets errors go that the test has caused, and that must be there.</summary>
    public void AcceptErrors(string containing)
    {
        Assert.NotEmpty(_errors.Found);
        Assert.All(_errors.Found, error => Assert.Contains(containing, error, StringComparison.Ordinal));
        _errors.Found.Clear();
    }

    /// <summary>Lets errors go that the test may have caused, depending on when it did what it did.</summary>
    public void ForgiveErrors(string containing)
    {
        string[] others = [.. _errors.Found.Where(error => !error.Contains(containing, StringComparison.Ordinal))];
        _errors.Found.Clear();
        foreach (var error in others)
        {
            _errors.Found.Enqueue(error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        foreach (var publisher in _app.Services.GetServices<IHostedService>().Where(IsHealthPublisher))
        {
            await publisher.StopAsync(CancellationToken.None);
        }

        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
        Assert.True(_errors.Found.IsEmpty, "The server logged an error: " + string.Join('\n', _errors.Found));
    }

    /// <summary>
    /// Whether a service has the timer that reports health. Only stopping it ends the timer, which would keep the
    /// server in memory.
    /// </summary>
    private static bool IsHealthPublisher(IHostedService service) =>
        service.GetType().Name == "HealthCheckPublisherHostedService";

    private static async Task<List<T>> All<T>(AsyncServerStreamingCall<T> call)
    {
        using (call)
        {
            var events = new List<T>();
            await foreach (var happened in call.ResponseStream.ReadAllAsync())
            {
                events.Add(happened);
            }

            return events;
        }
    }
}
