using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Dti.Engine;
using Dti.Engine.Runtime.Files;
using Dti.Server.Configuration;

namespace Dti.Server.Security;

/// <summary>What is known of an access token; the secret itself is not.</summary>
/// <param name="Name">Its name, unique in its file.</param>
/// <param name="Caller">Whom it stands for: concepts and jobs belong to a caller, who may have several tokens.</param>
/// <param name="Scopes">read, generate, train, admin.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expires">When it ends; null: never.</param>
public sealed record AccessToken(
    string Name,
    string Caller,
    IReadOnlyList<string> Scopes,
    DateTimeOffset Created,
    DateTimeOffset? Expires
);

/// <summary>
/// The access tokens of a server: a file that holds a hash of each, changed by one program at a time. A server that
/// runs counts changes at once.
/// </summary>
/// <param name="path">The file; made with the first token, for its owner's eyes only.</param>
/// <param name="time">The clock; null: the system's.</param>
/// <param name="files">The disk; null: the system's.</param>
public sealed partial class AccessTokens(string path, TimeProvider? time = null, IFileStore? files = null)
{
    /// <summary>What every token begins with, so that one that is lost in a text is recognised.</summary>
    public const string Prefix = "dti_";

    private const int SecretBytes = 32; // 256 bits
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    /// <summary>Whether the file is there, so that a server needs tokens.</summary>
    /// <exception cref="DtiException">It cannot be seen.</exception>
    public bool Exists => TokenFile.Exists(path);

    /// <summary>All tokens by name, expired ones too.</summary>
    /// <exception cref="DtiException">The file cannot be used.</exception>
    public IReadOnlyList<AccessToken> List() =>
        [.. Read().OrderBy(token => token.Name, StringComparer.Ordinal).Select(Public)];

    /// <summary>Makes a token.</summary>
    /// <param name="name">Its name: 1 to 64 letters, digits, '.', '-', '_' or '@', beginning with a letter or digit;
    /// not <c>local</c>.</param>
    /// <param name="scopes">Any of read, generate, train, admin; at least one.</param>
    /// <param name="lifetime">Its lifetime, above zero; null: it does not expire.</param>
    /// <param name="caller">Whom it stands for; null: <paramref name="name"/>.</param>
    /// <returns>The token, and its secret, which is kept nowhere.</returns>
    /// <exception cref="ValidationException">Names every wrong value.</exception>
    /// <exception cref="DtiException">There is one of that name, or the file cannot be used.</exception>
    public (AccessToken Token, string Secret) Create(
        string name,
        IEnumerable<string> scopes,
        TimeSpan? lifetime = null,
        string? caller = null
    )
    {
        var found = new List<FieldViolation>();
        CheckName(name, nameof(name));
        CheckName(caller ?? name, nameof(caller));
        if (!ScopeNames.TryParse(scopes, out var rights, out var unknown))
        {
            found.Add(new(nameof(scopes), $"'{unknown}' is no scope; those are {ScopeNames.All}."));
        }
        else if (rights == Security.Scopes.None)
        {
            found.Add(new(nameof(scopes), $"A token needs a scope: {ScopeNames.All}."));
        }

        if (lifetime <= TimeSpan.Zero)
        {
            found.Add(new(nameof(lifetime), "A token that has expired is of no use; its time must be above zero."));
        }

        if (lifetime > RequestBounds.MaxTime)
        {
            found.Add(
                new(
                    nameof(lifetime),
                    $"A token may last at most {RequestBounds.MaxTime.Days} days; leave the time out for one that does not expire."
                )
            );
        }

        if (found.Count > 0)
        {
            throw new ValidationException([.. found.DistinctBy(violation => violation.Description)]);
        }

        var now = (time ?? TimeProvider.System).GetUtcNow();
        var secret = NewSecret();
        var token = new StoredToken(name, caller ?? name, rights, StoredToken.Hash(secret), now, now + lifetime);
        Change(all =>
            all.Any(other => string.Equals(other.Name, name, StringComparison.OrdinalIgnoreCase))
                ? throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"There is a token '{name}' already; choose another name, or revoke it first."
                )
                : [.. all, token]
        );
        return (Public(token), secret);

        void CheckName(string value, string field)
        {
            if (
                !Name().IsMatch(value)
                || string.Equals(value, Security.Caller.LocalId, StringComparison.OrdinalIgnoreCase)
            )
            {
                found.Add(
                    new(
                        field,
                        $"'{value}' is no name for a token or caller: it must be 1 to 64 letters, digits, '.', '-', '_' or '@', beginning with a letter or digit, and not 'local'."
                    )
                );
            }
        }
    }

    /// <summary>A secret for <see cref="SecurityOptions.OwnerToken"/>: 256 bits of chance.</summary>
    public static string NewSecret() =>
        Prefix
        + Convert
            .ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes))
            .TrimEnd('=')
            .Replace('+', '-')
            .Replace('/', '_');

    /// <summary>
    /// Takes a token away. The file stays, so that a server without any token is closed and not open.
    /// </summary>
    /// <exception cref="DtiException">There is none of that name, or the file cannot be used.</exception>
    public void Revoke(string name) =>
        Change(all =>
        {
            StoredToken[] left = [.. all.Where(token => token.Name != name)];
            if (left.Length < all.Count)
            {
                return left;
            }

            string[] close = [.. CloseNames.Of(name, all.Select(token => token.Name))];
            throw new DtiException(
                ErrorKind.NotFound,
                $"There is no token '{name}'.{(close.Length > 0 ? $" Close: {string.Join(", ", close)}." : "")}"
            );
        });

    private IReadOnlyList<StoredToken> Read() =>
        TokenFile.ReadBytes(path) is { } content ? TokenFile.Parse(path, content) : [];

    private void Change(Func<IReadOnlyList<StoredToken>, IReadOnlyList<StoredToken>> change)
    {
        using (Lock())
        {
            TokenFile.Write(path, change(Read()), files);
            AtomicFile.DeleteDrafts(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileName(path), files);
        }
    }

    /// <summary>
    /// Keeps other programs from changing the file at the same time; readers need no lock, for it is replaced as a
    /// whole.
    /// </summary>
    private FileStream Lock()
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            return LockFile.TryHold(path + ".lock", _patience, ownerOnly: true, files)
                ?? throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"Another program is changing the token file {path} and does not come to an end; try again, or look what it does."
                );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explain(path, error);
        }
    }

    private static AccessToken Public(StoredToken token) =>
        new(token.Name, token.Caller, ScopeNames.Of(token.Scopes), token.Created, token.Expires);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
