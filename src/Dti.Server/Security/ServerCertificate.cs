using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dti.Engine;

namespace Dti.Server.Security;

/// <summary>The certificate that a server shows, with those that vouch for it.</summary>
internal static class ServerCertificate
{
    private const int MinRsaBits = 2048;
    private const int MinEllipticBits = 224;

    /// <summary>Reads PEM files.</summary>
    /// <param name="certificateFile">The server's certificate first, then the intermediate ones: Let's Encrypt's
    /// <c>fullchain.pem</c>.</param>
    /// <param name="keyFile">Its private key.</param>
    /// <exception cref="DtiException">They cannot be read, do not belong together, or no client would accept
    /// them.</exception>
    public static SslStreamCertificateContext Load(string certificateFile, string keyFile)
    {
        var chain = new X509Certificate2Collection();
        var certificates = PemFile.Read(certificateFile);
        var key = PemFile.Read(keyFile);
        try
        {
            chain.ImportFromPem(certificates);
        }
        catch (CryptographicException error)
        {
            throw PemFile.Unusable(certificateFile, error.Message);
        }

        if (chain.Count == 0)
        {
            throw PemFile.Unusable(
                certificateFile,
                "it holds no certificate in PEM format (-----BEGIN CERTIFICATE-----)"
            );
        }

        if (key.Contains("ENCRYPTED", StringComparison.Ordinal))
        {
            throw PemFile.Unusable(
                keyFile,
                "the key has a password; write it without one (openssl pkey -in KEY -out NEW) and keep it from others' eyes (chmod 600)"
            );
        }

        try
        {
            using var own = X509Certificate2.CreateFromPem(certificates, key);
            EnsureStrong(own, certificateFile);
            chain.RemoveAt(0);
            // Windows' TLS takes no key that lives in memory alone.
            var shown = OperatingSystem.IsWindows()
                ? X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null)
                : new X509Certificate2(own);
            return SslStreamCertificateContext.Create(shown, chain, offline: true);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw PemFile.Unusable(
                keyFile,
                $"it is not the private key of the certificate {certificateFile}: {error.Message}"
            );
        }
    }

    // OpenSSL at its usual level fails every handshake with a shorter key, and so do browsers.
    private static void EnsureStrong(X509Certificate2 certificate, string file)
    {
        using var rsa = certificate.GetRSAPublicKey();
        using var elliptic = certificate.GetECDsaPublicKey();
        if (rsa is { KeySize: < MinRsaBits } || elliptic is { KeySize: < MinEllipticBits })
        {
            throw PemFile.Unusable(
                file,
                $"its key has {rsa?.KeySize ?? elliptic!.KeySize} bits, and clients refuse less than {MinRsaBits} of RSA or {MinEllipticBits} of an elliptic curve; make a new one (docs/security.md)"
            );
        }
    }

    /// <summary>Why clients would refuse a certificate now; null: they would not, as far as its dates say.</summary>
    public static string? Problem(X509Certificate2 certificate, string file, DateTimeOffset now) =>
        certificate.NotAfter.ToUniversalTime() <= now.UtcDateTime
            ? PemFile
                .Unusable(
                    file,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"it ended at {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC; renew it"
                    )
                )
                .Message
            : null;
}
