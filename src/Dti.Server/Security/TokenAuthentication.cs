using System.Text.Encodings.Web;
using Dti.Engine;
using Dti.Server.Errors;
using Dti.Server.Telemetry;
using Google.Protobuf;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dti.Server.Security;

/// <summary>Nothing to set: the options of the server are all.</summary>
internal sealed class TokenAuthenticationOptions : AuthenticationSchemeOptions;

/// <summary>Knows a caller by its token, and refuses in the words of the contract.</summary>
internal sealed class TokenAuthentication(
    IOptionsMonitor<TokenAuthenticationOptions> options,
    ILoggerFactory logging,
    UrlEncoder encoder,
    TokenCheck tokens
// what it would log of a refusal is said below, once
) : AuthenticationHandler<TokenAuthenticationOptions>(options, NullLoggerFactory.Instance, encoder)
{
    public const string Name = "Bearer";
    private const int MaxPathLength = 100;
    private static readonly JsonFormatter _json = new(
        JsonFormatter.Settings.Default.WithTypeRegistry(StatusMapper.DetailTypes)
    );
    private readonly ILogger _logger = logging.CreateLogger<TokenAuthentication>();

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var (caller, reason) = tokens.Check(Context);
        return Task.FromResult(
            caller is null
                ? AuthenticateResult.Fail(reason)
                : AuthenticateResult.Success(new AuthenticationTicket(caller.ToPrincipal(Name), Name))
        );
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var reason = (await HandleAuthenticateOnceSafeAsync()).Failure?.Message ?? "";
        _logger.CallerRefused(Shown, Address, reason);
        Response.Headers.WWWAuthenticate = Name;
        await RefuseAsync(StatusCodes.Status401Unauthorized, Refusals.Unauthenticated());
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var needed = Context.GetEndpoint()?.Metadata.GetMetadata<ScopeRequirement>()?.Scopes ?? Scopes.Admin;
        var names = ScopeNames.Of(needed);
        _logger.CallerRefused(
            Shown,
            Address,
            $"{Caller.Of(Context.User).Id} has not the scope {string.Join(" or ", names)}"
        );
        return RefuseAsync(StatusCodes.Status403Forbidden, Refusals.ScopeMissing(names));
    }

    // Anybody chooses the path, and the log keeps it.
    private string Shown =>
        Request.Path.ToUriComponent() is { Length: > MaxPathLength } path
            ? path[..MaxPathLength] + "…"
            : Request.Path.ToUriComponent();

    private string Address => $"{Context.Connection.RemoteIpAddress}";

    /// <summary>By gRPC a status alone, before any message; by JSON as the calls' own errors.</summary>
    private async Task RefuseAsync(int httpStatus, DtiException refusal)
    {
        var status = StatusMapper.StatusOf(refusal);
        Rejected.Count(status);
        if (Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true)
        {
            StatusHeaders.Write(Response, status);
            return;
        }

        Response.StatusCode = httpStatus;
        Response.ContentType = "application/json";
        await Response.WriteAsync(_json.Format(status), Context.RequestAborted);
    }
}
