using System.Security.Claims;
using Grpc.Core;

namespace Dti.Server.Security;

/// <summary>Who calls. Can be written to disk with what it began.</summary>
/// <param name="Id">
/// A token's caller (a name without colon), <c>certificate:NAME</c>, or <see cref="LocalId"/>. Stable over restarts;
/// not a file name.
/// </param>
/// <param name="Scopes">What it may do.</param>
internal sealed record Caller(string Id, Scopes Scopes)
{
    /// <summary>The owner of a server that has no tokens, and of what has no other owner.</summary>
    public const string LocalId = "local";

    private const string ScopeClaim = "scope";

    /// <summary>Every caller of a server that has no tokens, which only listens to its own machine.</summary>
    public static Caller Local { get; } = new(LocalId, Scopes.Any);

    /// <summary>Whether everything is open to it, also what belongs to others.</summary>
    public bool IsAdmin => Scopes.HasFlag(Scopes.Admin);

    /// <summary>Whether it may see and change what belongs to an owner.</summary>
    /// <param name="owner">A caller's id; empty: <see cref="LocalId"/>.</param>
    public bool MaySee(string owner) => IsAdmin || Id == (owner.Length > 0 ? owner : LocalId);

    /// <summary>Whether it has one of these rights, of which none may be needed.</summary>
    public bool Has(Scopes scopes) => scopes == Scopes.None || IsAdmin || (Scopes & scopes) != 0;

    /// <summary>Who makes a call.</summary>
    /// <exception cref="InvalidOperationException">The call came past authentication.</exception>
    public static Caller Of(ServerCallContext context) => Of(context.GetHttpContext().User);

    /// <inheritdoc cref="Of(ServerCallContext)"/>
    public static Caller Of(ClaimsPrincipal user) =>
        user.Identity is { IsAuthenticated: true, Name: { Length: > 0 } id }
        && Enum.TryParse<Scopes>(user.FindFirstValue(ScopeClaim), out var scopes)
            ? new Caller(id, scopes)
            : throw new InvalidOperationException("a call came past authentication");

    /// <summary>The caller as ASP.NET Core carries it.</summary>
    public ClaimsPrincipal ToPrincipal(string authenticationType) =>
        new(
            new ClaimsIdentity(
                [new Claim(ClaimTypes.Name, Id), new Claim(ScopeClaim, Scopes.ToString())],
                authenticationType
            )
        );
}
