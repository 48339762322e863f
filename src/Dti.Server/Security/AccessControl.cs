using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Server.Security;

/// <summary>One of these scopes is needed. Kept with the endpoint, so that a refusal can say which.</summary>
internal sealed record ScopeRequirement(Scopes Scopes) : IAuthorizationRequirement;

/// <summary>
/// Authentication and authorization of calls by the table of scopes, the same for gRPC, gRPC-Web
/// and JSON.
/// </summary>
internal static class AccessControl
{
    public static void AddAccessControl(this IServiceCollection services)
    {
        services.AddSingleton<TokenCheck>();
        services.AddSingleton<TlsFiles>();
        services.AddSingleton<ServerPaths>();
        services.AddSingleton<OpenStreams>().AddHostedService(provider => provider.GetRequiredService<OpenStreams>());
        services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<StreamGuard>());
        services
            .AddAuthentication(TokenAuthentication.Name)
            .AddScheme<TokenAuthenticationOptions, TokenAuthentication>(TokenAuthentication.Name, null);
        services
            .AddAuthorizationBuilder()
            // calls that the server does not know
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    public static void UseAccessControl(this IApplicationBuilder app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
    }

    /// <summary>Each call of a service needs what <see cref="RpcScopes"/> says of it.</summary>
    /// <exception cref="InvalidOperationException">When the server starts: the table does not know a call.</exception>
    public static void RequireScopes(this IEndpointConventionBuilder endpoints) =>
        endpoints.Add(endpoint =>
        {
            if (endpoint.Metadata.OfType<GrpcMethodMetadata>().LastOrDefault()?.Method.FullName is not { } method)
            {
                return; // a name that the service does not have
            }

            var scopes = RpcScopes.Of(method);
            if (scopes == Scopes.None)
            {
                endpoint.Metadata.Add(new AllowAnonymousAttribute());
                return;
            }

            Require(endpoint, scopes);
        });

    /// <summary>A page needs one of some scopes.</summary>
    public static void RequireScopes(this IEndpointConventionBuilder endpoints, Scopes scopes) =>
        endpoints.Add(endpoint => Require(endpoint, scopes));

    private static void Require(EndpointBuilder endpoint, Scopes scopes)
    {
        endpoint.Metadata.Add(new AuthorizeAttribute());
        endpoint.Metadata.Add(new ScopeRequirement(scopes));
        endpoint.Metadata.Add(
            new AuthorizationPolicyBuilder()
                .RequireAssertion(context =>
                    context.User.Identity?.IsAuthenticated == true && Caller.Of(context.User).Has(scopes)
                )
                .Build()
        );
    }
}
