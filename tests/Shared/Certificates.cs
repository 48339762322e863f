using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Dti.Tests;

/// <summary>Certificates made on the spot.</summary>
internal static class Certificates
{
    private static readonly OidCollection _clientAuthentication = [new Oid("1.3.6.1.5.5.7.3.2")];

    /// <summary>An authority of its own, or one below another.</summary>
    public static X509Certificate2 Authority(X509Certificate2? above = null) =>
        Make(
            above is null ? "CN=Test authority" : "CN=Test intermediate authority",
            new X509BasicConstraintsExtension(true, false, 0, true),
            above,
            TimeSpan.FromHours(above is null ? 12 : 6)
        );

    /// <summary>A certificate with its private key, for an address.</summary>
    /// <param name="address">Which.</param>
    /// <param name="authority">Who signs it; null: it does so itself.</param>
    public static X509Certificate2 For(IPAddress address, X509Certificate2? authority = null)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(address);
        return Make("CN=Test", names.Build(), authority, TimeSpan.FromHours(1));
    }

    /// <summary>One for a name.</summary>
    /// <inheritdoc cref="For(IPAddress, X509Certificate2?)"/>
    public static X509Certificate2 For(string name, X509Certificate2? authority = null)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        return Make("CN=Test", names.Build(), authority, TimeSpan.FromHours(1));
    }

    /// <summary>A caller's certificate with its private key.</summary>
    /// <param name="name">Its common name.</param>
    /// <param name="authority">Who signs it.</param>
    /// <param name="ended">Whether its time is over.</param>
    public static X509Certificate2 OfCaller(string name, X509Certificate2 authority, bool ended = false) =>
        Make(
            $"CN={name}",
            new X509EnhancedKeyUsageExtension(_clientAuthentication, false),
            authority,
            TimeSpan.FromHours(ended ? -1 : 1)
        );

    /// <summary>Writes a certificate, those that vouch for it, and its key as PEM files.</summary>
    public static (string Certificate, string Key) Write(
        string folder,
        string name,
        X509Certificate2 certificate,
        params X509Certificate2[] chain
    )
    {
        var (file, keyFile) = (Path.Combine(folder, name + ".pem"), Path.Combine(folder, name + ".key"));
        File.WriteAllText(
            file,
            string.Join('\n', chain.Prepend(certificate).Select(one => one.ExportCertificatePem()))
        );
        using var key = certificate.GetECDsaPrivateKey();
        File.WriteAllText(keyFile, key!.ExportPkcs8PrivateKeyPem());
        return (file, keyFile);
    }

    private static X509Certificate2 Make(
        string subject,
        X509Extension extension,
        X509Certificate2? authority,
        TimeSpan ahead
    )
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256)
        {
            CertificateExtensions = { extension },
        };
        var (from, to) = (DateTimeOffset.UtcNow.AddHours(-6), DateTimeOffset.UtcNow + ahead);
        if (authority is null)
        {
            return request.CreateSelfSigned(from, to);
        }

        using var signed = request.Create(authority, from, to, Guid.NewGuid().ToByteArray());
        return signed.CopyWithPrivateKey(key);
    }
}
