using System.Net;
using Dti.Engine;
using Dti.Server.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Dti.Server.Telemetry;

/// <summary>
/// OpenTelemetry: Prometheus' page on a port of its own, and whatever the standard <c>OTEL_…</c> variables ask to be
/// sent. Nothing is collected unless one of both is asked for.
/// </summary>
internal static class TelemetrySetup
{
    private const string HostLabel = "host.name"; // on every metric of a host of a cluster
    private static readonly string[] _signals = ["", "TRACES_", "METRICS_", "LOGS_"];
    private static readonly string[] _endpoints =
    [
        .. _signals.Select(signal => $"OTEL_EXPORTER_OTLP_{signal}ENDPOINT"),
    ];
    private static readonly string[] _protocols =
    [
        .. _signals.Select(signal => $"OTEL_EXPORTER_OTLP_{signal}PROTOCOL"),
    ];

    /// <summary>Whether a variable says where telemetry is sent, or how.</summary>
    public static bool Reads(string name) => _endpoints.Contains(name) || _protocols.Contains(name);

    /// <summary>Variables that the exporter would pass over without a word.</summary>
    public static IEnumerable<FieldViolation> Violations(IConfiguration configuration)
    {
        foreach (var name in _endpoints)
        {
            if (
                configuration[name] is { Length: > 0 } endpoint
                && !(Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
            )
            {
                yield return new(name, $"{name} is '{endpoint}'; write it like http://localhost:4317.");
            }
        }

        foreach (var name in _protocols)
        {
            if (configuration[name] is { Length: > 0 } protocol && protocol is not ("grpc" or "http/protobuf"))
            {
                yield return new(name, $"{name} is '{protocol}'; it must be grpc or http/protobuf.");
            }
        }
    }

    public static void ListenForMetrics(this KestrelServerOptions kestrel, DtiServerOptions options)
    {
        if (options.MetricsPort is { } port)
        {
            kestrel.Listen(IPAddress.Parse(options.MetricsAddress), port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(next =>
                    connection =>
                    {
                        connection.Features.Set(new MetricsConnection());
                        return next(connection);
                    }
                );
            });
        }
    }

    public static void AddTelemetry(this WebApplicationBuilder builder, DtiServerOptions options)
    {
        var send = _endpoints.Any(name => !string.IsNullOrEmpty(builder.Configuration[name]));
        if (!send && options.MetricsPort is null)
        {
            return;
        }

        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource =>
            {
                resource.AddService("dti", serviceVersion: ServerVersion.Text).AddEnvironmentVariableDetector();
                if (options.Cluster.IsUsed)
                {
                    resource.AddAttributes([new(HostLabel, options.Cluster.HostName)]);
                }
            })
            .WithMetrics(metrics =>
            {
                metrics
                    .AddMeter(DtiMetrics.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
                    .AddRuntimeInstrumentation();
                if (options.MetricsPort is not null)
                {
                    metrics.AddPrometheusExporter(page =>
                    {
                        page.ScrapeResponseCacheDurationMilliseconds = 0;
                        page.ResourceConstantLabels = attribute => attribute == HostLabel;
                    });
                }
            });
        if (send)
        {
            telemetry
                .WithTracing(traces => traces.AddSource(DtiMetrics.Name).AddAspNetCoreInstrumentation())
                .WithLogging()
                .UseOtlpExporter();
        }
    }

    /// <summary>
    /// What comes in by the metrics port sees the metrics, and nothing else; no other port shows them.
    /// </summary>
    public static void UseMetricsPage(this WebApplication app, DtiServerOptions options)
    {
        if (options.MetricsPort is not null)
        {
            var isLocal = IPAddress.TryParse(options.MetricsAddress, out var address) && IPAddress.IsLoopback(address);
            app.MapWhen(
                context => context.Features.Get<MetricsConnection>() is not null,
                page =>
                {
                    page.Use(
                        (context, next) =>
                        {
                            if (!isLocal || OwnNames.Contains(context.Request.Host.Host))
                            {
                                return next(context);
                            }

                            // a page of another site reaches this port under a name of its own
                            context.Response.StatusCode = StatusCodes.Status400BadRequest;
                            return Task.CompletedTask;
                        }
                    );
                    page.UseOpenTelemetryPrometheusScrapingEndpoint();
                }
            );
        }
    }

    /// <summary>Marks connections to the metrics port.</summary>
    private sealed class MetricsConnection;
}
