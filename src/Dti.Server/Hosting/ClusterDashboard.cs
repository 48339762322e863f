using System.Net.Http.Headers;
using System.Text;
using Dti.Server.Configuration;
using Dti.Server.Jobs;
using Dti.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Dashboard;

namespace Dti.Server.Hosting;

/// <summary>
/// Orleans' dashboard at <see cref="Root"/>, for callers with the scope admin: silos, grains, and the calls between
/// them. It is part of the silo, whose services are not those of the web server. A browser cannot send a token by itself,
/// so it asks for a password, which is a token.
/// </summary>
internal static class ClusterDashboard
{
    private const string Root = "/orleans";
    private const string Basic = "Basic";

    /// <summary>Reads a token from the password of a browser.</summary>
    public static void UseDashboardSignIn(this WebApplication app, DtiServerOptions options)
    {
        if (!IsShown(options))
        {
            return;
        }

        app.UseWhen(
            context => context.Request.Path.StartsWithSegments(Root),
            pages =>
                pages.Use(
                    (context, next) =>
                    {
                        if (TokenOf(context.Request) is { } token)
                        {
                            context.Request.Headers.Authorization = $"Bearer {token}";
                        }

                        context.Response.OnStarting(() =>
                        {
                            if (context.Response.StatusCode == StatusCodes.Status401Unauthorized)
                            {
                                context.Response.Headers.WWWAuthenticate = $"{Basic} realm=\"Dti\", charset=\"UTF-8\"";
                            }

                            return Task.CompletedTask;
                        });
                        return next(context);
                    }
                )
        );
    }

    /// <summary>Shows the dashboard.</summary>
    public static void MapDashboard(this WebApplication app, DtiServerOptions options)
    {
        if (!IsShown(options))
        {
            return;
        }

        var silo = app.Services.GetRequiredService<JobSilo>();
        var dashboard = new Lazy<Task<(IServiceProvider Services, RequestDelegate Show)>>(async () =>
        {
            var services = await silo.ServicesAsync();
            var pages = new ApplicationBuilder(services);
            pages.UseRouting();
            pages.UseEndpoints(routes => routes.MapOrleansDashboard(Root));
            return (services, pages.Build());
        });
        app.Map($"{Root}/{{**page}}", async context =>
            {
                var (services, show) = await dashboard.Value;
                var own = context.RequestServices;
                context.RequestServices = services;
                context.Request.RouteValues.Clear();
                context.SetEndpoint(null); // the dashboard finds its own
                try
                {
                    await show(context);
                }
                finally
                {
                    context.RequestServices = own;
                }
            })
            .RequireScopes(Scopes.Admin);
    }

    private static bool IsShown(DtiServerOptions options) => options.Cluster is { Dashboard: true, AcceptsCalls: true };

    private static string? TokenOf(HttpRequest request)
    {
        if (
            !AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var credentials)
            || !Basic.Equals(credentials.Scheme, StringComparison.OrdinalIgnoreCase)
        )
        {
            return null;
        }

        var decoded = new byte[credentials.Parameter?.Length ?? 0];
        return
            Convert.TryFromBase64String(credentials.Parameter ?? "", decoded, out var length)
            && Encoding.UTF8.GetString(decoded, 0, length).Split(':', 2) is [_, var password]
            ? password
            : "";
    }
}
