using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dti.ClientSdk;

namespace Dti.Cli.Hosting;

/// <summary>
/// How the command proves who it is to a running server, and knows that server. A token comes from the environment or
/// from a file, never from an argument: those are shown in lists of processes.
/// </summary>
/// <param name="TokenFile">File that holds a token; null: DTI_TOKEN_FILE, else DTI_TOKEN itself.</param>
/// <param name="Ca">PEM file of the certificate that vouches for the server; null: DTI_CA, else those that the system
/// trusts.</param>
internal sealed record Credentials(string? TokenFile, string? Ca)
{
    private const int MaxTokenBytes = 16 * 1024;

    /// <summary>Reads what is needed to call an address.</summary>
    /// <exception cref="CliException">A file cannot be read, or a token would travel in the clear.</exception>
    public DtiClientOptions Read(string address)
    {
        var token = Token();
        if (
            token is not null
            && !address.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
            && Uri.TryCreate(
                address.Contains("://", StringComparison.Ordinal) ? address : "http://" + address,
                UriKind.Absolute,
                out var uri
            )
            && !uri.IsLoopback
        )
        {
            throw new CliException(
                ExitCode.Usage,
                $"The token would cross the network to {address} for all to read: use an https:// address, or unset DTI_TOKEN."
            );
        }

        return new DtiClientOptions
        {
            Token = token,
            TrustedCertificate = (Ca ?? Variable("DTI_CA")) is { } ca
                ? Certificate(ca, X509CertificateLoader.LoadCertificateFromFile)
                : null,
            ClientCertificate = Variable("DTI_CLIENT_CERT") is { } own
                ? Certificate(own, file => WithKey(file, Variable("DTI_CLIENT_KEY")))
                : null,
        };
    }

    /// <summary>Whether there is a token to call with.</summary>
    public bool HasToken => Token() is { Length: > 0 };

    private string? Token()
    {
        if ((TokenFile ?? Variable("DTI_TOKEN_FILE")) is not { } file)
            return Variable("DTI_TOKEN")?.Trim();
        try
        {
            var token = new FileInfo(file).Length <= MaxTokenBytes ? File.ReadAllText(file).Trim() : "";
            return token.Length > 0 && token.All(char.IsAscii) && !token.Any(char.IsWhiteSpace)
                ? token
                : throw new CliException(ExitCode.Usage, $"The file {file} must hold a token and nothing else.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Usage, $"The token file {file} cannot be read: {error.Message}");
        }
    }

    private static X509Certificate2 WithKey(string file, string? keyFile)
    {
        using var certificate = X509Certificate2.CreateFromPemFile(file, keyFile);
        // Windows' TLS takes no key that lives in memory alone
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    private static X509Certificate2 Certificate(string file, Func<string, X509Certificate2> load)
    {
        try
        {
            return load(file);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Usage, $"The certificate {file} cannot be used: {error.Message}");
        }
    }

    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
