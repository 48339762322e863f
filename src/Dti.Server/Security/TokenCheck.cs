using System.Security.Cryptography;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Security;

/// <summary>
/// Who a token stands for. The file of tokens is read with each call, and understood again where it has changed: a
/// token that is made or revoked counts from the next call on. Once tokens were needed they stay so until the server
/// ends, whatever becomes of the file.
/// </summary>
internal sealed class TokenCheck
{
    private const string Scheme = "Bearer ";
    private readonly string? _file;
    private readonly byte[]? _owner;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private volatile Known _known;
    private long _read;

    public TokenCheck(DtiServerOptions options, TimeProvider time, ILogger<TokenCheck> logger)
    {
        _file = options.Security.TokenFile;
        _owner = options.Security.OwnerToken is { } secret ? StoredToken.Hash(secret) : null;
        _time = time;
        _logger = logger;
        _known = new Known(
            null,
            [],
            _owner is not null || options.Security.ClientCa is not null || !options.IsLoopback
        );
    }

    /// <summary>Who makes a call, now.</summary>
    /// <param name="call">The call.</param>
    /// <param name="maxAge">How old may be what is known of the file: a thousand streams need not read it each.</param>
    /// <returns>The caller; null with the reason, for the log: nobody is to be let in.</returns>
    public (Caller? Caller, string Reason) Check(HttpContext call, TimeSpan maxAge = default)
    {
        var (secret, certificate) = CredentialsOf(call);
        return Check(secret, certificate, maxAge);
    }

    /// <summary>
    /// Who makes a call, asked again later. It does not need the call any longer, whose context may then be disposed of.
    /// </summary>
    /// <param name="call">The call.</param>
    public Func<TimeSpan, Caller?> Later(HttpContext call)
    {
        var (secret, certificate) = CredentialsOf(call);
        return maxAge => Check(secret, certificate, maxAge).Caller;
    }

    private static (string? Secret, string? Certificate) CredentialsOf(HttpContext call)
    {
        var header = $"{call.Request.Headers.Authorization}";
        var secret =
            header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim()
            : header.Length > 0 ? ""
            : null;
        return (secret, call.Connection.ClientCertificate is { } shown ? ClientAuthorities.NameOf(shown) : null);
    }

    /// <summary>Whose token it is.</summary>
    /// <param name="secret">The token as it was sent; null: none was.</param>
    /// <param name="certificate">Who the certificate of the connection speaks of, if it showed one and the authorities
    /// vouch for it.</param>
    /// <param name="maxAge">How old may be what is known of the file.</param>
    /// <returns>The caller; null with the reason, for the log: nobody is to be let in.</returns>
    public (Caller? Caller, string Reason) Check(string? secret, string? certificate, TimeSpan maxAge = default)
    {
        var known = _time.GetElapsedTime(Volatile.Read(ref _read)) < maxAge ? _known : Refresh();
        if (!known.Needed)
        {
            return (Caller.Local, "");
        }

        if (secret is null && certificate is not null)
        {
            return (new Caller($"certificate:{certificate}", Scopes.Read | Scopes.Generate | Scopes.Train), "");
        }

        // Every token is compared, each in the same time, also where none was sent.
        var hash = StoredToken.Hash(secret ?? "");
        StoredToken? found = null;
        foreach (var token in known.Tokens)
        {
            found = CryptographicOperations.FixedTimeEquals(token.Sha256, hash) ? token : found;
        }

        var isOwner = _owner is not null && CryptographicOperations.FixedTimeEquals(_owner, hash);
        return (isOwner, found) switch
        {
            (true, _) => (Caller.Local, ""),
            (_, null) => (null, secret is null ? "there is no token" : "the token is not known"),
            (_, { Expires: { } end } late) when end <= _time.GetUtcNow() => (
                null,
                $"the token '{late.Name}' has expired"
            ),
            (_, { } good) => (new Caller(good.Caller, good.Scopes), ""),
        };
    }

    private Known Refresh()
    {
        var known = _known;
        if (_file is null)
        {
            return known;
        }

        try
        {
            var now = _time.GetTimestamp();
            var content = TokenFile.ReadBytes(_file);
            Volatile.Write(ref _read, now);
            if (
                content is null
                    ? known.Content is null
                    : known.Content is not null && content.AsSpan().SequenceEqual(known.Content)
            )
            {
                return known;
            }

            return _known = new Known(
                content,
                content is null ? [] : TokenFile.Parse(_file, content),
                known.Needed || content is not null
            );
        }
        catch (DtiException error)
        {
            if (known.Problem != error.Message)
            {
                _logger.TokensUnreadable(_file, error.Message);
            }

            return _known = new Known(null, [], true) { Problem = error.Message };
        }
    }

    private sealed record Known(byte[]? Content, IReadOnlyList<StoredToken> Tokens, bool Needed)
    {
        public string? Problem { get; init; }
    }
}
