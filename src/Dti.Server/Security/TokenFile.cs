using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dti.Engine;
using Dti.Engine.Runtime.Files;

namespace Dti.Server.Security;

/// <summary>
/// A token as it is kept. Of the secret there is only the SHA-256: it is 256 bits of chance, which nobody finds by
/// trying, so that a slow hash as for passwords would protect nothing and cost each call.
/// </summary>
internal sealed record StoredToken(
    string Name,
    string Caller,
    Scopes Scopes,
    byte[] Sha256,
    DateTimeOffset Created,
    DateTimeOffset? Expires
)
{
    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}

/// <summary>The file of tokens: JSON, replaced as a whole, read and written by its owner alone.</summary>
internal static class TokenFile
{
    private const int MaxBytes = 4 * 1024 * 1024;
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>
    /// Whether there is one. If that cannot be seen, there is one: otherwise the server would accept everyone.
    /// </summary>
    /// <exception cref="DtiException">It cannot be seen.</exception>
    public static bool Exists(string path)
    {
        try
        {
            // File.Exists says false of what it may not see
            return new FileInfo(path).Attributes != (FileAttributes)(-1);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, error.Message);
        }
    }

    /// <summary>The file's content; null: there is none.</summary>
    /// <exception cref="DtiException">It cannot be read.</exception>
    public static byte[]? ReadBytes(string path)
    {
        if (!Exists(path))
        {
            return null; // the usual case on a computer of one's own, and not worth an exception with each call
        }

        try
        {
            RegularFile.EnsureIs(path);
            using var file = new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete
            ); // it may be replaced meanwhile
            if (file.Length > MaxBytes)
            {
                throw Unusable(path, "it is too large");
            }

            var content = new byte[file.Length];
            file.ReadExactly(content);
            return content;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, error.Message);
        }
    }

    /// <summary>What a file's content says.</summary>
    /// <exception cref="DtiException">It is not what <see cref="Write"/> wrote.</exception>
    public static IReadOnlyList<StoredToken> Parse(string path, ReadOnlySpan<byte> content)
    {
        try
        {
            var lines = JsonSerializer.Deserialize<Content>(content, _json)?.Tokens
                ?? throw new JsonException("it holds no tokens");
            return [.. lines.Select(line => Read(line ?? throw new JsonException("a token is null")))];
        }
        catch (Exception error) when (error is JsonException or FormatException)
        {
            throw Unusable(path, error.Message);
        }
    }

    /// <summary>Replaces the file.</summary>
    /// <exception cref="DtiException">The disk is full or the folder cannot be written; the file is as it
    /// was.</exception>
    public static void Write(string path, IEnumerable<StoredToken> tokens, IFileStore? files = null)
    {
        var lines = tokens.Select(token => new Line(
            token.Name,
            token.Caller,
            ScopeNames.Of(token.Scopes),
            Convert.ToHexStringLower(token.Sha256),
            token.Created,
            token.Expires
        ));
        AtomicFile.WriteAllBytes(
            path,
            JsonSerializer.SerializeToUtf8Bytes(new Content([.. lines]), _json),
            ownerOnly: true,
            files
        );
    }

    private static StoredToken Read(Line line) =>
        new(
            line.Name,
            line.Caller,
            ScopeNames.TryParse(line.Scopes, out var scopes, out var unknown)
                ? scopes
                : throw new JsonException($"'{unknown}' is no scope"),
            Convert.FromHexString(line.Sha256) is { Length: SHA256.HashSizeInBytes } hash
                ? hash
                : throw new JsonException("a hash has not 32 bytes"),
            line.Created,
            line.Expires
        );

    private static DtiException Unusable(string path, string why) =>
        new(ErrorKind.FailedPrecondition, $"The token file {path} cannot be used: {why}");

    private sealed record Content(IReadOnlyList<Line?>? Tokens);

    private sealed record Line(
        [property: JsonRequired] string Name,
        [property: JsonRequired] string Caller,
        [property: JsonRequired] IReadOnlyList<string> Scopes,
        [property: JsonRequired] string Sha256,
        DateTimeOffset Created,
        DateTimeOffset? Expires
    );
}
