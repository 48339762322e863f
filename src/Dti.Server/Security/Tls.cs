using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Telemetry;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Security;

/// <summary>
/// TLS on a port, with certificate files that are reloaded when they change: each handshake uses the newest ones.
/// (Kestrel's ServerCertificateSelector would not send the intermediate certificates.)
/// </summary>
internal static class Tls
{
    private static readonly TimeSpan _handshake = TimeSpan.FromSeconds(10);

    /// <summary>Uses TLS on a port if the options have a certificate.</summary>
    /// <param name="listen">The port.</param>
    /// <param name="options">The options.</param>
    /// <param name="withTls">The protocols with TLS.</param>
    /// <param name="without">The protocols without TLS.</param>
    public static void UseTls(
        this ListenOptions listen,
        DtiServerOptions options,
        HttpProtocols withTls,
        HttpProtocols without
    )
    {
        listen.Protocols = options.Security.HasTls ? withTls : without;
        if (options.Security.HasTls)
        {
            var files = listen.ApplicationServices.GetRequiredService<TlsFiles>();
            listen.UseHttps(
                new TlsHandshakeCallbackOptions
                {
                    HandshakeTimeout = _handshake,
                    OnConnection = _ => ValueTask.FromResult(files.Options()),
                }
            );
        }
    }
}

/// <summary>The certificates of the handshakes.</summary>
internal sealed class TlsFiles
{
    // Let's Encrypt's are renewed a month before they end
    private static readonly TimeSpan _late = TimeSpan.FromDays(7);
    private readonly ReloadedFiles<SslStreamCertificateContext> _certificate;
    private readonly ReloadedFiles<ClientAuthorities>? _authorities;
    private readonly string _file;
    private readonly string _key;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public TlsFiles(DtiServerOptions options, TimeProvider time, ILogger<TlsFiles> logger)
    {
        (_file, _key, _time, _logger) = (options.Security.TlsCertificate!, options.Security.TlsKey!, time, logger);
        _certificate = new([_file, _key], Load, time, logger);
        _authorities = options.Security.ClientCa is { } file
            ? new([file], () => ClientAuthorities.Load(file), time, logger)
            : null;
    }

    /// <summary>Of one handshake.</summary>
    public SslServerAuthenticationOptions Options()
    {
        var options = new SslServerAuthenticationOptions { ServerCertificateContext = _certificate.Value };
        if (_authorities is not null)
        {
            var authorities = _authorities.Value;
            options.ClientCertificateRequired = true;
            options.CertificateChainPolicy = authorities.Policy();
            options.RemoteCertificateValidationCallback = (_, shown, _, errors) =>
                errors == SslPolicyErrors.None
                && shown is X509Certificate2 certificate
                && ClientAuthorities.NameOf(certificate).Length > 0;
        }

        return options;
    }

    private SslStreamCertificateContext Load()
    {
        var loaded = ServerCertificate.Load(_file, _key);
        if (ServerCertificate.Problem(loaded.TargetCertificate, _file, _time.GetUtcNow()) is { } ended)
        {
            throw new DtiException(ErrorKind.FailedPrecondition, ended); // of a reload: the one before stays
        }

        if (loaded.TargetCertificate.NotAfter.ToUniversalTime() - _time.GetUtcNow() < _late)
        {
            _logger.CertificateEnds(
                _file,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{loaded.TargetCertificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC"
                )
            );
        }

        return loaded;
    }
}
