using Dti.ClientSdk;
using Dti.Server;
using Dti.Server.Configuration;
using Dti.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Studio.Tests;

/// <summary>A real server with dti-mini on real ports. Fails if anything logged an error.</summary>
internal sealed class StudioServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ErrorCollector _errors = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-studio-");

    private StudioServer(string? secret)
    {
        _app = DtiHost.Build(
            new DtiServerOptions
            {
                Port = 0,
                WebPort = 0,
                ConceptFolder = Path.Combine(_folder.FullName, "concepts"),
                Security = new() { OwnerToken = secret },
            },
            builder =>
            {
                builder.Logging.ClearProviders();
                builder.Services.AddSingleton<ILoggerProvider>(_errors);
            }
        );
        _app.Start();
        Page = DtiHost.StudioAddressOf(_app)!;
        Client = new DtiClient(
            DtiHost.AddressOf(_app).GetLeftPart(UriPartial.Authority),
            new DtiClientOptions { Token = secret }
        );
    }

    /// <summary>The address of Dti Studio.</summary>
    public Uri Page { get; }

    /// <summary>Another program that uses the server.</summary>
    public DtiClient Client { get; }

    /// <param name="secret">The token that calls need; null: none.</param>
    public static StudioServer Start(string? secret = null) => new(secret);

    /// <summary>The files of a subject of the sample photos.</summary>
    public static IEnumerable<string> PhotoFiles(string subject) =>
        Directory.GetFiles(Path.Combine(SampleFolder(), subject)).Order(StringComparer.Ordinal);

    /// <summary>Starts a training as another program would, and gives the job's id.</summary>
    public async Task<string> StartTrainingAsync(string name, int steps, int previewEvery = 0)
    {
        await foreach (var update in Client.TrainAsync(await RequestAsync(name, steps, previewEvery)))
        {
            if (update is TrainingAccepted accepted)
            {
                return accepted.JobId;
            }
        }

        throw new InvalidOperationException("The training was not accepted.");
    }

    /// <summary>Trains a concept to the end, where its preview becomes its thumbnail.</summary>
    public async Task TrainAsync(string name, int steps)
    {
        await foreach (var _ in Client.TrainAsync(await RequestAsync(name, steps, previewEvery: steps)))
        {
            // until it ends
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
        Assert.True(_errors.Found.IsEmpty, "The server logged an error: " + string.Join('\n', _errors.Found));
    }

    private static async Task<TrainRequest> RequestAsync(string name, int steps, int previewEvery) =>
        new()
        {
            Name = name,
            Photos = await Task.WhenAll(PhotoFiles(name).Select(file => Photo.ReadAsync(file))),
            Options = new TrainingOptions
            {
                Steps = steps,
                BatchSize = Shots.Folder is null ? 1 : 4,
                PreviewEvery = previewEvery,
                Seed = 1,
                Initializer = name.Split('-')[^1],
            },
        };

    private static string SampleFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (Directory.Exists(Path.Combine(folder.FullName, "samples", "melon-bird")))
            {
                return Path.Combine(folder.FullName, "samples");
            }
        }

        throw new InvalidOperationException("There are no sample photos above the tests' folder.");
    }
}
