using System.Text;

namespace Dti.Server;

/// <summary>Who may call a server, and how the calls are kept from others' eyes.</summary>
public sealed record SecurityOptions
{
    /// <summary>
    /// The file of access tokens (<see cref="AccessTokens"/>). Once it is there, each call needs one of them; changes to it count at once. Default:
    /// none, so that every program of this machine may call.
    /// </summary>
    public string? TokenFile { get; init; }

    /// <summary>
    /// A secret by which the program that hosts the server calls it with every right, if tokens are to be needed without a file: at least 32
    /// characters of chance. Null: none.
    /// </summary>
    public string? OwnerToken { get; init; }

    // Options end up in logs; the secret must not.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append("TokenFile = ").Append(TokenFile).Append(", OwnerToken = ").Append(OwnerToken is null ? "none" : "set");
        return true;
    }
}
