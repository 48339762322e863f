using System.Text;
using Dti.Server.Security;

namespace Dti.Server.Configuration;

/// <summary>
/// Who may call a server, and how the calls are kept from others' eyes. All files are read again when they change.
/// </summary>
public sealed record SecurityOptions
{
    /// <summary>
    /// The file of access tokens (<see cref="AccessTokens"/>). Once it is there, each call needs one of them; changes
    /// to it count at once. Default: none, so that every program of this machine may call.
    /// </summary>
    public string? TokenFile { get; init; }

    /// <summary>
    /// A secret by which the program that hosts the server calls it with every right, if tokens are to be needed
    /// without a file: at least 32 characters of chance. Null: none.
    /// </summary>
    public string? OwnerToken { get; init; }

    /// <summary>
    /// PEM file of the server's certificate, then of those that vouch for it; with <see cref="TlsKey"/> the server
    /// uses TLS. Null: it does not.
    /// </summary>
    public string? TlsCertificate { get; init; }

    /// <summary>PEM file of the certificate's private key, without a password.</summary>
    public string? TlsKey { get; init; }

    /// <summary>
    /// PEM file of the authorities whose certificates callers must show, with TLS; a caller without a token is then who
    /// its certificate says, with the scopes read, generate and train. Null: callers show none.
    /// </summary>
    public string? ClientCa { get; init; }

    /// <summary>Whether the server uses TLS.</summary>
    internal bool HasTls => TlsCertificate is not null || TlsKey is not null;

    // Options end up in logs; the secret must not.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append("TokenFile = ")
            .Append(TokenFile)
            .Append(", OwnerToken = ")
            .Append(OwnerToken is null ? "none" : "set")
            .Append(", TlsCertificate = ")
            .Append(TlsCertificate)
            .Append(", TlsKey = ")
            .Append(TlsKey)
            .Append(", ClientCa = ")
            .Append(ClientCa);
        return true;
    }
}
