using Dti.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Cli.Hosting;

/// <summary>A server in this process, on a loopback port.</summary>
internal sealed class LocalServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LocalServer(WebApplication app) => _app = app;

    public string Address => DtiHost.AddressOf(_app).GetLeftPart(UriPartial.Authority);

    /// <summary>Where browsers find it; null: they do not.</summary>
    public string? WebAddress => DtiHost.WebAddressOf(_app)?.GetLeftPart(UriPartial.Authority);

    /// <summary>Any free port, the user's models and the built-in one.</summary>
    /// <param name="folders">Where concepts and models are.</param>
    public static DtiServerOptions Options(DataFolders folders) => new()
    {
        Port = 0,
        ConceptFolder = Path.Combine(folders.Data, "concepts"),
        ModelFolders = folders.Models,
        Memory = folders.Memory,
    };

    /// <summary>Starts a server.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    public static async Task<LocalServer> StartAsync(DtiServerOptions options, CancellationToken cancellationToken)
    {
        var app = DtiHost.Build(options, Configure);
        await app.StartAsync(cancellationToken).ConfigureAwait(false);
        return new LocalServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static void Configure(WebApplicationBuilder builder)
    {
        // stdout is for results, and Ctrl+C is the command's: it cancels its job before it stops its server.
        builder.Logging.ClearProviders().AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
    }

    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
