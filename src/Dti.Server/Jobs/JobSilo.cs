using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Errors;
using Dti.Server.Jobs.Clustering;
using Dti.Server.Jobs.Grains;
using Dti.Server.Jobs.Storage;
using Dti.Server.Libraries;
using Dti.Server.ObjectStorage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Dashboard;
using Orleans.Runtime.MembershipService;
using Orleans.Storage;

namespace Dti.Server.Jobs;

/// <summary>
/// The Orleans silo that keeps the jobs. Grains hold where jobs are and tell watchers; they compute nothing. On one
/// machine: a silo of its own in this process, on a free port of the loopback address, with its state in files. In a
/// cluster: one of several silos, with their state in a database.
/// </summary>
internal sealed class JobSilo(
    DtiServerOptions options,
    JobFolder folder,
    CallerQuotas quotas,
    TimeProvider time,
    ILoggerFactory loggers,
    IObjectStore? store = null
) : IHostedService, IAsyncDisposable
{
    /// <summary>The name of the storage of grains' state.</summary>
    public const string Storage = "jobs";

    /// <summary>The one pool of jobs.</summary>
    public const string Pool = "default";

    /// <summary>
    /// The key of the system's clock among the silo's services, for times that are shown. Durations and ages are taken
    /// from <see cref="SteadyTime"/>.
    /// </summary>
    public const string WallClock = "wall";

    private const int Attempts = 5; // a free port may be taken before the silo has it

    // Orleans reserves memory for all of them at the start: 19 MiB for its default of a million.
    private const int CachedGrainAddresses = 16384;
    private static readonly TimeSpan _stopLimit = TimeSpan.FromSeconds(5);
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<IHost>? _host;
    private volatile bool _stopped;
    private int _disposed;

    /// <summary>Whether it has been asked to stop: what it is asked from now on may stay without an answer.</summary>
    public bool IsStopping => _stopped;

    /// <summary>Whether it is one of several: a call may fail while another host leaves.</summary>
    public bool IsOfCluster => options.Cluster.IsUsed;

    /// <summary>
    /// Ends when a first job may come. Until then a silo whose jobs do not outlive it need not be there.
    /// </summary>
    public Task Wanted => _wanted.Task;

    /// <summary>The grains, once the silo is there.</summary>
    public async Task<IGrainFactory> GrainsAsync() => (await Host()).Services.GetRequiredService<IGrainFactory>();

    /// <summary>The services of the silo, once it is there.</summary>
    public async Task<IServiceProvider> ServicesAsync() => (await Host()).Services;

    /// <summary>The queue.</summary>
    public async Task<IQueueGrain> QueueAsync() => (await GrainsAsync()).GetGrain<IQueueGrain>(Pool);

    /// <summary>Where other silos would connect.</summary>
    internal async Task<IPEndPoint> EndpointAsync() => (await AddressAsync()).Endpoint;

    /// <summary>The address of the silo, another one after each start.</summary>
    public async Task<SiloAddress> AddressAsync() =>
        (await Host()).Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

    /// <summary>A job.</summary>
    public async Task<IJobGrain> JobAsync(string jobId) => (await GrainsAsync()).GetGrain<IJobGrain>(jobId);

    /// <summary>
    /// Begins to start, if jobs outlive the server. That takes longest of all at its start, and needs nothing of the
    /// rest.
    /// </summary>
    public void Begin()
    {
        if (folder.IsDurable)
        {
            _ = Host();
        }
    }

    /// <summary>A server that runs for days says at the start what is wrong.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (folder.IsDurable)
        {
            await Host().WaitAsync(cancellationToken);
            try
            {
                // with no queue at all, its jobs may still be wanted
                if (await (await QueueAsync()).ListAsync(null) is { Count: > 0 } known)
                {
                    await folder.KeepOnlyAsync(known, time.GetUtcNow());
                }
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"The jobs in {folder.Root} cannot be read: {error.Message} Put a backup there, or move the folder away to begin with none.",
                    innerException: error
                );
            }
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _stopped = true;
        }

        if (await SiloAsync() is { } host)
        {
            await host.StopAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await StopAsync(CancellationToken.None);
            (await SiloAsync())?.Dispose();
        }
    }

    private Task<IHost> Host()
    {
        lock (_lock)
        {
            _host ??= _stopped ? throw Refusals.ServerStopping() : Task.Run(StartSiloAsync);
        }

        _wanted.TrySetResult();
        return _host;
    }

    /// <summary>The silo; null: it was never started, or could not be.</summary>
    private async Task<IHost?> SiloAsync()
    {
        await ((Task?)_host ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _host is { IsCompletedSuccessfully: true } ? await _host : null;
    }

    private bool HasFixedPort => options.Cluster is { IsUsed: true, Port: > 0 };

    private async Task<IHost> StartSiloAsync()
    {
        if (options.Cluster.IsUsed)
        {
            await ClusterDatabase.EnsureReadyAsync(options.Cluster.Connection!, CancellationToken.None);
            await (store?.EnsureReadyAsync(options.Cluster.Service, CancellationToken.None) ?? Task.CompletedTask);
        }

        for (var attempt = 1; ; attempt++)
        {
            var host = Build();
            try
            {
                await host.StartAsync();
                return host;
            }
            catch (Exception error)
                when (attempt < Attempts
                    && !HasFixedPort
                    && error is SocketException or { InnerException: SocketException }
                )
            {
                host.Dispose();
            }
            catch (OrleansClusterConnectivityCheckFailedException error)
            {
                await StopStartedAsync(host);
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"This host did not reach every other host of the cluster within {options.Cluster.JoinTimeout.TotalSeconds:F0} s, or was not reached: {error.GetBaseException().Message} Check the addresses, and that the same authority has signed the certificate of each host (docs/cluster.md).",
                    innerException: error
                );
            }
            catch (Exception error)
                when (HasFixedPort && error is SocketException or { InnerException: SocketException })
            {
                host.Dispose();
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"The cluster's port {options.Cluster.Port} of {options.Cluster.Address} cannot be listened on: {error.GetBaseException().Message}. Choose another one (DTI_CLUSTER__PORT).",
                    innerException: error
                );
            }
        }
    }

    /// <summary>
    /// Stops the parts of a silo that had started when it failed. It is not disposed of: Orleans 10.4 would wait for
    /// ever if it is stopped before, and if it is not, a loop of its grain directory would use a whole processor.
    /// </summary>
    private static async Task StopStartedAsync(IHost host)
    {
        using var limit = new CancellationTokenSource(_stopLimit);
        await host
            .Services.GetRequiredService<ISiloLifecycleSubject>()
            .OnStop(limit.Token)
            .WaitAsync(2 * _stopLimit)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private IHost Build()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { DisableDefaults = true }
        );
        var services = builder.Services;
        services.AddSingleton<ILoggerFactory>(new SiloLoggers(loggers, () => _stopped));
        services.AddSingleton<TimeProvider>(new SteadyTime(time));
        services.AddKeyedSingleton(WallClock, time);
        services.AddSingleton(options);
        services.AddSingleton(quotas);
        services.AddSingleton(_ => folder); // by a factory: this host does not dispose of it
        if (store is not null)
        {
            services.AddSingleton(_ => store);
        }

        services.AddSingleton<IHostLifetime, EmbeddedHostLifetime>();
        builder.UseOrleans(silo =>
        {
            silo.Configure<SiloOptions>(own => own.SiloName = options.Cluster.HostName);
            silo.Configure<GrainDirectoryOptions>(directory => directory.CacheSize = CachedGrainAddresses);
            if (options.Cluster.Dashboard)
            {
                silo.AddDashboard(dashboard => dashboard.HideTrace = true);
                silo.Services.AddRouting(); // of its pages
                silo.Services.AddSingleton(_ => new DiagnosticListener("Dti.Dashboard"));
            }

            if (options.Cluster.IsUsed)
            {
                silo.UseCluster(options.Cluster, HasFixedPort ? options.Cluster.Port : FreePort());
            }
            else
            {
                UseNoCluster(silo);
            }
        });
        return builder.Build();
    }

    private static void UseNoCluster(ISiloBuilder silo)
    {
        silo.Services.AddKeyedSingleton<IGrainStorage, FileGrainStorage>(Storage);
        silo.UseLocalhostClustering(FreePort(), gatewayPort: 0, serviceId: "dti", clusterId: "dti");
        silo.Configure<EndpointOptions>(endpoint => endpoint.GatewayPort = 0); // no clients but this process
        silo.Configure<SiloConnectionOptions>(connections =>
            connections.ConfigureSiloInboundConnection(connection =>
                connection.Use(_ =>
                    refused =>
                    {
                        // there is no other silo, and any program of this machine could claim to be one
                        refused.Abort();
                        return Task.CompletedTask;
                    }
                )
            )
        );
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
