using System.Net.Sockets;
using Dti.Server;
using Dti.Server.Configuration;
using Dti.Server.Diagnosis;
using Dti.Server.Hosting;
using Dti.Server.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Dti.Cli.Hosting;

/// <summary>A server in this process.</summary>
internal sealed class LocalServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LocalServer(WebApplication app) => _app = app;

    public string Address => DtiHost.AddressOf(_app).GetLeftPart(UriPartial.Authority);

    /// <summary>Where browsers find it; null: they do not.</summary>
    public string? WebAddress => DtiHost.WebAddressOf(_app)?.GetLeftPart(UriPartial.Authority);

    /// <summary>Where its page Dti Studio is; null: it has none.</summary>
    public string? StudioAddress => DtiHost.StudioAddressOf(_app)?.GetLeftPart(UriPartial.Authority);

    /// <summary>Where Prometheus finds it; null: it does not.</summary>
    public string? MetricsAddress => DtiHost.MetricsAddressOf(_app)?.GetLeftPart(UriPartial.Authority);

    /// <summary>
    /// Any free port, the user's models and the built-in one; device, dtype and default model as the variables of
    /// servers say.
    /// </summary>
    /// <param name="folders">Where concepts and models are.</param>
    public static DtiServerOptions Options(DataFolders folders)
    {
        var variables = ServerConfiguration
            .OfEnvironment(Environment.GetEnvironmentVariables())
            .ToLookup(setting => setting.Key, setting => setting.Value);
        string? Variable(string name) => variables[ServerConfiguration.Setting(name, null).Key].LastOrDefault();
        return new DtiServerOptions
        {
            Port = 0,
            ConceptFolder = folders.Concepts,
            ModelFolders = folders.Models,
            Memory = folders.Memory,
            Device = Variable(nameof(DtiServerOptions.Device)) ?? "auto",
            Dtype = Variable(nameof(DtiServerOptions.Dtype)) ?? "auto",
            DefaultModel = Variable(nameof(DtiServerOptions.DefaultModel)),
        };
    }

    /// <summary>Starts a server for one command.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    public static Task<LocalServer> StartAsync(DtiServerOptions options, CancellationToken cancellationToken) =>
        StartAsync(options, Configure, cancellationToken);

    /// <summary>
    /// Starts a server that continues; where systemd or Windows started this process as a service, it tells them how it
    /// is.
    /// </summary>
    /// <param name="options">Its options.</param>
    /// <param name="configuration">What else it is told: the section <c>Logging</c>.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    public static Task<LocalServer> StartServiceAsync(
        DtiServerOptions options,
        IConfiguration configuration,
        CancellationToken cancellationToken
    ) =>
        StartAsync(
            options,
            builder =>
            {
                Configure(builder);
                builder.Logging.AddConfiguration(configuration.GetSection("Logging"));
                builder.Services.AddSystemd().AddWindowsService(service => service.ServiceName = "Dti");
            },
            cancellationToken
        );

    /// <summary>Waits for the token, or for the service manager's word.</summary>
    public async Task UntilStoppedAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken,
            _app.Lifetime.ApplicationStopping
        );
        // how it is meant to end
        await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<LocalServer> StartAsync(
        DtiServerOptions options,
        Action<WebApplicationBuilder> configure,
        CancellationToken cancellationToken
    )
    {
        var app = DtiHost.Build(options, configure);
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException error)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw new CliException(
                ExitCode.Failed,
                Checkup.ClosedPort(options) is { } port
                    ? $"{port.Text}. {port.Remedy}"
                    : $"{options.Address} cannot be listened on: {error.Message}."
            );
        }

        return new LocalServer(app);
    }

    private static void Configure(WebApplicationBuilder builder)
    {
        // stdout is for results, and Ctrl+C is the command's: it cancels its job before it stops its server.
        builder.Services.Configure<ConsoleLoggerOptions>(console =>
            console.LogToStandardErrorThreshold = LogLevel.Trace
        );
        builder.Services.AddSingleton<IHostLifetime, EmbeddedHostLifetime>();
        // the command says why it could not start
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
    }
}
