using System.Net;
using Dti.Server.Configuration;
using Dti.Server.Errors;
using Dti.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi.Models;

namespace Dti.Server.Hosting;

/// <summary>
/// The same services for callers without gRPC: JSON over HTTP by the contract's <c>google.api.http</c> routes,
/// described at <c>/openapi/v1.json</c>, and gRPC-Web. Both answer on the gRPC port to HTTP/2, and on <see
/// cref="DtiServerOptions.WebPort"/> to HTTP/1.1.
/// </summary>
internal static class WebApi
{
    private static readonly string[] _grpcHeaders =
    [
        "Grpc-Status",
        "Grpc-Message",
        "Grpc-Encoding",
        "Grpc-Accept-Encoding",
        "Grpc-Status-Details-Bin",
    ];

    public static void ListenForWeb(this KestrelServerOptions kestrel, DtiServerOptions options)
    {
        if (options.WebPort is { } port)
        {
            kestrel.Listen(IPAddress.Parse(options.Address), port, listen =>
                listen.UseTls(options, withTls: HttpProtocols.Http1AndHttp2, without: HttpProtocols.Http1)
            );
        }
    }

    public static void AddWebApi(this IServiceCollection services, DtiServerOptions options)
    {
        services.AddGrpc().AddJsonTranscoding(json => json.TypeRegistry = StatusMapper.DetailTypes);
        services.AddGrpcSwagger();
        services.AddSwaggerGen(swagger =>
        {
            swagger.SwaggerDoc("v1", new OpenApiInfo { Title = "Dti", Version = "v1" });
            swagger.IncludeGrpcXmlComments(
                Path.Combine(AppContext.BaseDirectory, "Dti.Server.xml"),
                includeControllerXmlComments: true
            );
            swagger.SchemaFilter<SettingSchema>();
        });
        services.AddCors(cors =>
            cors.AddDefaultPolicy(policy =>
                policy
                    .WithOrigins([.. options.WebOrigins])
                    .AllowAnyMethod()
                    .AllowAnyHeader()
                    .WithExposedHeaders(_grpcHeaders)
            )
        );
    }

    public static void UseWebApi(this WebApplication app, DtiServerOptions options)
    {
        // A page of another site may reach this port under a name of its own (DNS rebinding); browsers speak HTTP/1.1
        // without TLS, and with it would notice that the certificate has another name. Everybody else calls by whatever
        // name leads here, so ASP.NET's own filter, which is for all, stays open.
        app.Use(
            (context, next) =>
            {
                if (
                    context.Request.IsHttps
                    || HttpProtocol.IsHttp2(context.Request.Protocol)
                    || OwnNames.Contains(context.Request.Host.Host)
                )
                {
                    return next(context);
                }

                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                return Task.CompletedTask;
            }
        );
        app.UseCallingPages(options);
        app.Use(
            (context, next) =>
            {
                if (
                    context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
                    != true
                )
                {
                    // gRPC bounds its messages itself; JSON carries bytes as base64, a third longer.
                    context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize =
                        options.MaxMessageBytes / 3L * 4 + 1024;
                }

                return next(context);
            }
        );
        app.UseStudioPage(options);
        app.UseRouting();
        app.UseCors();
        app.UseOpenApiPage();
        app.UseGrpcWeb(new GrpcWebOptions { DefaultEnabled = true });
    }
}
