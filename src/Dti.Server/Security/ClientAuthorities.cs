using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dti.Engine;

namespace Dti.Server.Security;

/// <summary>The authorities whose certificates callers show.</summary>
internal sealed class ClientAuthorities(X509Certificate2Collection roots)
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2"; // RFC 5280, 4.2.1.12

    /// <summary>Reads a PEM file.</summary>
    /// <exception cref="DtiException">It cannot be read, or holds no certificate.</exception>
    public static ClientAuthorities Load(string path)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPem(PemFile.Read(path));
        }
        catch (CryptographicException error)
        {
            throw PemFile.Unusable(path, error.Message);
        }

        return roots.Count > 0
            ? new ClientAuthorities(roots)
            : throw PemFile.Unusable(path, "it holds no certificate in PEM format (-----BEGIN CERTIFICATE-----)");
    }

    /// <summary>
    /// A certificate is good that is in date, made for callers, and goes back to one of the authorities. Revocation
    /// lists are not asked.
    /// </summary>
    public X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true, // a stranger's certificate shall not make the server fetch things
            ApplicationPolicy = { new Oid(ClientAuthentication) },
        };
        policy.CustomTrustStore.AddRange(roots);
        return policy;
    }

    /// <summary>Whom a certificate speaks of: the common name of its subject.</summary>
    public static string NameOf(X509Certificate2 certificate) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
}
