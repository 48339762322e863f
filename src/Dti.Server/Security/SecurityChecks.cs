using System.Net;
using System.Net.Security;
using Dti.Engine;
using Dti.Server.Configuration;

namespace Dti.Server.Security;

/// <summary>Mistakes of the security settings that keep a server from starting.</summary>
internal static class SecurityChecks
{
    private const int MinOwnerToken = 32;

    /// <summary>Everything that is wrong, each with what to do.</summary>
    public static IEnumerable<FieldViolation> Violations(DtiServerOptions options)
    {
        var security = options.Security;
        if (!IPAddress.TryParse(options.Address, out _))
        {
            yield return new(
                nameof(DtiServerOptions.Address),
                $"Address '{options.Address}' is not an IP address: write 127.0.0.1 for this machine alone, 0.0.0.0 or :: for every network that it is in."
            );
        }
        else if (!options.IsLoopback && !security.HasTls)
        {
            yield return new(
                nameof(DtiServerOptions.Address),
                $"Other machines reach the address {options.Address}, so TLS is needed: give a certificate and its key (--tls-cert and --tls-key). Or serve this machine alone, on 127.0.0.1."
            );
        }

        FieldViolation[] tls = security.HasTls
            ?
            [
                .. Pem(
                    nameof(SecurityOptions.TlsCertificate),
                    security.TlsCertificate,
                    "The private key needs its certificate (--tls-cert)."
                ),
                .. Pem(
                    nameof(SecurityOptions.TlsKey),
                    security.TlsKey,
                    "The certificate needs its private key (--tls-key)."
                ),
            ]
            : [];
        foreach (var violation in tls)
        {
            yield return violation;
        }

        if (security.HasTls && tls.Length == 0 && CertificateProblem(security) is { } unusable)
        {
            yield return new(Field(nameof(SecurityOptions.TlsCertificate)), unusable);
        }

        if (security.ClientCa is { } authorities)
        {
            if (!security.HasTls)
            {
                yield return new(
                    Field(nameof(SecurityOptions.ClientCa)),
                    "Callers show certificates with TLS only: give the server a certificate and its key, too (--tls-cert and --tls-key)."
                );
            }

            if (Problem(() => ClientAuthorities.Load(authorities)) is { } problem)
            {
                yield return new(Field(nameof(SecurityOptions.ClientCa)), problem);
            }
        }

        var tokens = 0;
        if (security.TokenFile is { } file)
        {
            if (Problem(() => tokens = new AccessTokens(file).List().Count) is { } problem)
            {
                yield return new(Field(nameof(SecurityOptions.TokenFile)), problem);
            }
        }

        if (security.OwnerToken is { Length: < MinOwnerToken })
        {
            yield return new(
                Field(nameof(SecurityOptions.OwnerToken)),
                $"OwnerToken is shorter than {MinOwnerToken} characters, so that it could be guessed."
            );
        }

        if (
            IPAddress.TryParse(options.Address, out _)
            && !options.IsLoopback
            && security.ClientCa is null
            && security.OwnerToken is null
            && tokens == 0
        )
        {
            yield return new(
                Field(nameof(SecurityOptions.TokenFile)),
                $"Other machines reach the address {options.Address}, so callers need a token: make one first (dti tokens create NAME). Or let in who has a certificate of an authority of yours (--client-ca)."
            );
        }
    }

    // Each file is looked at alone first: one that is missing hides nothing of the other.
    private static IEnumerable<FieldViolation> Pem(string name, string? file, string missing) =>
        (file is null ? missing : Problem(() => PemFile.Read(file))) is { } problem ? [new(Field(name), problem)] : [];

    private static string? CertificateProblem(SecurityOptions security)
    {
        SslStreamCertificateContext? loaded = null;
        return Problem(() => loaded = ServerCertificate.Load(security.TlsCertificate!, security.TlsKey!))
            ?? ServerCertificate.Problem(
                loaded!.TargetCertificate,
                security.TlsCertificate!,
                TimeProvider.System.GetUtcNow()
            );
    }

    private static string Field(string name) => $"{nameof(DtiServerOptions.Security)}.{name}";

    private static string? Problem<T>(Func<T> load)
    {
        try
        {
            load();
            return null;
        }
        catch (DtiException error)
        {
            return error.Message;
        }
    }
}
