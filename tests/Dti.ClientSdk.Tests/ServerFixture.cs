using Dti.Server;
using Dti.Server.Configuration;
using Dti.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

[assembly: AssemblyFixture(typeof(Dti.ClientSdk.Tests.ServerFixture))]

namespace Dti.ClientSdk.Tests;

/// <summary>
/// A real server on a real port, shared by all tests. Anything it logs at Error or above fails the run.
/// </summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-sdk-").FullName;
    private readonly ErrorCollector _errors = new();
    private WebApplication? _app;

    /// <summary>Sees every call before the server does.</summary>
    internal Tap Tap { get; } = new();

    public Uri Address => DtiHost.AddressOf(_app!);

    public static async Task<IReadOnlyList<Photo>> PhotosAsync() =>
        [
            await Photo.ReadAsync(Fixtures.Common("preprocess_square.png")),
            await Photo.ReadAsync(Fixtures.Common("preprocess_portrait_random.png")),
        ];

    /// <summary>A training that takes a moment, not minutes.</summary>
    public static TrainingOptions Quick(int steps = 4, int previewEvery = 0) =>
        new()
        {
            Initializer = "cat",
            Steps = steps,
            BatchSize = 1,
            Resolution = 64,
            Seed = 1,
            PreviewEvery = previewEvery,
            PreviewSteps = 1,
        };

    public static async Task<TrainRequest> RequestAsync(string name, TrainingOptions? options = null) =>
        new()
        {
            Name = name,
            Photos = await PhotosAsync(),
            Options = options ?? Quick(),
            Overwrite = true,
        };

    public async ValueTask InitializeAsync()
    {
        _app = DtiHost.Build(
            new DtiServerOptions
            {
                Port = 0,
                ConceptFolder = _folder,
                ModelFolders = [Path.Combine(Fixtures.Root, "tiny-sd15")],
                BuiltInModel = null,
            },
            builder =>
            {
                builder.Logging.ClearProviders().AddProvider(_errors);
                builder.Services.AddSingleton<IStartupFilter>(Tap);
                // behind a proxy that speaks TLS
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.AllowAlternateSchemes = true);
            }
        );
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _app!.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        Assert.True(_errors.Found.IsEmpty, string.Join('\n', _errors.Found)); // whole, unlike Assert.Empty
    }
}
