using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Dti.ClientSdk.Tests;

/// <summary>Certificates made on the spot.</summary>
internal static class Certificates
{
    /// <summary>An authority of its own.</summary>
    public static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    /// <summary>A certificate with its private key, for an address.</summary>
    /// <param name="address">Which.</param>
    /// <param name="authority">Who signs it; null: it does so itself.</param>
    public static X509Certificate2 For(IPAddress address, X509Certificate2? authority = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        var (from, to) = (DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        if (authority is null)
            return request.CreateSelfSigned(from, to);
        using var signed = request.Create(authority, from, to, Guid.NewGuid().ToByteArray());
        return signed.CopyWithPrivateKey(key);
    }
}
