using System.Net;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Runtime.Files;
using Dti.Server.Configuration;
using Dti.Server.Diagnosis;
using Dti.Server.Hosting;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Clustering;
using Dti.Server.Jobs.Storage;
using Dti.Server.Libraries;
using Dti.Server.ObjectStorage;
using Dti.Server.Security;
using Dti.Server.Services;
using Dti.Server.Telemetry;
using Grpc.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Server;

/// <summary>Builds the Dti server: gRPC over HTTP/2, without TLS on a loopback address, or with it on any.</summary>
public static class DtiHost
{
    /// <summary>Builds a server, ready to be started.</summary>
    /// <param name="options">The options.</param>
    /// <param name="configure">Further services or logging.</param>
    /// <exception cref="Dti.Engine.DtiException">An option is wrong, or the device is not there.</exception>
    public static WebApplication Build(DtiServerOptions options, Action<WebApplicationBuilder>? configure = null)
    {
        options.Validate();
        // libtorch takes as long to load as all that is done here meanwhile
        var target = Task.Run(() => ComputeTarget.Resolve(options.Device, options.Dtype));
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions
            {
                // Not the working folder, which may contain an unrelated appsettings.json.
                ContentRootPath = AppContext.BaseDirectory,
                // Settings are read once. To watch their files would need some of the few watches that a user has.
                Args = ["--hostBuilder:reloadConfigOnChange=false"],
            }
        );
        ServerConfiguration.CheckEnvironment(builder.Configuration);
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Orleans", LogLevel.Error);
        // Orleans' words on what the grains say themselves
        builder.Logging.AddFilter(typeof(FileGrainStorage).FullName, LogLevel.None);
        foreach (var storage in DatabaseGrainStorage.LoggedAs)
        {
            builder.Logging.AddFilter(storage, LogLevel.None);
        }

        // DeviceProbe says it once, and stopping is no error
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        // comes with authentication; nothing here is protected by it
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.None);
        builder.Logging.AddFilter(MalformedMessages.FrameworkLog, LogLevel.None);
        // what a client does wrong on its connection
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel.Http2", LogLevel.None);
        builder.Logging.UseFormat(options.LogFormat);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Parse(options.Address), options.Port, listen =>
                listen.UseTls(options, withTls: HttpProtocols.Http1AndHttp2, without: HttpProtocols.Http2)
            );
            kestrel.ListenForWeb(options);
            kestrel.ListenForMetrics(options);
            kestrel.Limits.Http2.KeepAlivePingDelay = options.KeepAlive;
            kestrel.Limits.Http2.KeepAlivePingTimeout = options.KeepAlive;
            kestrel.Limits.MaxRequestBodySize = null; // GrpcMessages bounds each message
            kestrel.Limits.MaxConcurrentConnections = RequestBounds.MaxConnections;
        });

        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.TryAddSingleton<IFileStore>(PhysicalFileStore.Instance);
        services.AddSingleton(_ => target.GetAwaiter().GetResult());
        // now: a list that cannot be read is reported at the start
        services.AddSingleton(LibraryFolders.Of(options.ModelFolders));
        services.AddSingleton<VaeLibrary>();
        services.AddSingleton<ModelLibrary>();
        if (ObjectStores.Open(options.Cluster) is { } store)
        {
            services.AddSingleton(_ => store);
            services.AddSingleton<IChangeLog>(provider => new ChangeLog(provider.GetRequiredService<JobSilo>));
        }

        services.AddSingleton<ConceptLibrary>();
        services.AddSingleton<TrainingRuns>();
        services.AddSingleton<CallerQuotas>();
        services.AddSingleton<ModelCache>();
        services.AddSingleton<DiskSpace>();
        services.AddSingleton(provider => new HeavyCalls(provider.GetRequiredService<IHostApplicationLifetime>()));
        services.AddSingleton<JobPlacement>();
        services.AddSingleton<TrainRequestResolver>();
        services.AddSingleton<GenerateRequestResolver>();
        services.AddSingleton<InterpolateRequestResolver>();
        services.AddSingleton<BytesInFlight>();
        services.AddSingleton<CallsWithoutToken>();
        services.AddSingleton<GrpcMessages>();
        services.AddSingleton<ListeningAddresses>();
        services.AddSingleton<IJobRunner, JobRunner>();
        services.AddSingleton<JobFolder>();
        services.AddSingleton<JobSilo>();
        services.AddSingleton<JobFeeds>();
        services.AddSingleton<IJobs, Jobs.Jobs>();
        // before the device, so that it stops after it
        services.AddHostedService(provider => provider.GetRequiredService<JobSilo>());
        if (options.Cluster.RunsJobs)
        {
            services.AddHostedService<DeviceWorker>();
        }
        else
        {
            services.AddHostedService<WatcherRelease>();
        }

        if (options.Cluster.IsUsed)
        {
            services.AddSingleton<RemoteModels>();
            services.AddSingleton(provider => new SharedModelMetadata(
                provider.GetService<IObjectStore>()
                    ?? new FolderObjectStore(provider.GetRequiredService<JobFolder>().Root)
            ));
            services.AddHostedService<HostAnnouncer>();
            services.AddHostedService<ModelMetadataExchange>();
            services.AddHostedService<StorageCleanup>();
        }

        services.AddHostedService<FreedMemory>();
        services.AddHostedService<LibraryReadAhead>();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.MaxMessageBytes;
            grpc.MaxSendMessageSize = options.MaxMessageBytes;
            grpc.EnableDetailedErrors = true; // for MalformedMessages; ErrorInterceptor leaves none to others
            grpc.Interceptors.Add<ErrorInterceptor>();
            grpc.Interceptors.Add<BoundsInterceptor>();
        });
        services.AddAccessControl();
        services.AddWebApi(options);
        services.AddGrpcReflection();
        services
            .AddGrpc()
            .AddServiceOptions<ReflectionServiceImpl>(grpc =>
                grpc.MaxReceiveMessageSize = RequestBounds.SmallMessageBytes
            )
            .AddServiceOptions<ReflectionV1ServiceImpl>(grpc =>
                grpc.MaxReceiveMessageSize = RequestBounds.SmallMessageBytes
            );
        builder.AddTelemetry(options);
        services.AddSingleton<DeviceProbe>();
        services.AddSingleton<JobsProbe>();
        services.AddGrpcHealthChecks().AddCheck<DeviceHealthCheck>("device");
        services.Configure<HealthCheckPublisherOptions>(health =>
            (health.Delay, health.Period) = (TimeSpan.Zero, TimeSpan.FromSeconds(5))
        ); // for those who watch
        services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTime + options.StopTimeout);
        services.AddSingleton<Draining>().AddHostedService(provider => provider.GetRequiredService<Draining>());
        configure?.Invoke(builder);

        target.GetAwaiter().GetResult(); // a device that is not there is reported now
        var app = builder.Build();
        app.Services.GetRequiredService<JobSilo>().Begin();
        foreach (var missing in options.ModelFolders.Where(path => !Path.Exists(path)))
        {
            app.Logger.ModelFolderMissing(missing); // it may come later
        }

        if (options.Cluster.RunsJobs) // a gateway may have only the models of its workers, which it does not know yet
        {
            app.Services.GetRequiredService<ModelLibrary>().EnsureDefaultExists();
        }

        app.UseMetricsPage(options);
        app.UseWebApi(options);
        app.UseDashboardSignIn(options);
        app.UseAccessControl();
        app.UseMalformedMessages();
        GrpcMessages.Use(app);
        app.UseJsonRequests();
        if (options.Cluster.AcceptsCalls)
        {
            app.MapGrpcService<DtiGrpcService>().RequireScopes();
            app.MapGrpcService<JobGrpcService>().RequireScopes();
            app.MapGrpcService<ConceptGrpcService>().RequireScopes();
            app.MapGrpcService<ModelGrpcService>().RequireScopes();
            app.MapGrpcService<ClusterGrpcService>().RequireScopes();
        }

        app.MapDashboard(options);
        app.MapGrpcService<ServerGrpcService>().RequireScopes();
        app.MapGrpcHealthChecksService().RequireScopes();
        app.MapGrpcReflectionService().RequireScopes();
        return app;
    }

    /// <summary>Where a started server listens for gRPC: <c>http://127.0.0.1:5171</c>.</summary>
    public static Uri AddressOf(WebApplication app) => Listening(app).Address;

    /// <summary>
    /// Where a started server listens for browsers; null: nowhere, as <see cref="DtiServerOptions.WebPort"/> is null.
    /// </summary>
    public static Uri? WebAddressOf(WebApplication app) => Listening(app).Web;

    /// <summary>
    /// Where a started server has the page Dti Studio; null: nowhere, as <see cref="DtiServerOptions.Studio"/> is false
    /// or no port is for browsers.
    /// </summary>
    public static Uri? StudioAddressOf(WebApplication app) => Listening(app).Studio;

    /// <summary>
    /// Where a started server listens for Prometheus; null: nowhere, as <see cref="DtiServerOptions.MetricsPort"/> is
    /// null.
    /// </summary>
    public static Uri? MetricsAddressOf(WebApplication app) => Listening(app).Metrics;

    private static ListeningAddresses Listening(WebApplication app) =>
        app.Services.GetRequiredService<ListeningAddresses>();
}
