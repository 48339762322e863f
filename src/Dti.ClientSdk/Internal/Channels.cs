using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
#if NET
using System.Net.Sockets;
#endif

namespace Dti.ClientSdk.Internal;

/// <summary>How channels to a server are made.</summary>
internal static class Channels
{
    public static GrpcChannel Open(Uri address, DtiClientOptions options)
    {
        options.Validate();
        if (options.Token is not null && address.Scheme == "http" && !address.IsLoopback)
            throw new ArgumentException(
                $"The token would travel to {address.Host} for all to read: use https.",
                nameof(options)
            );

        return GrpcChannel.ForAddress(
            address,
            new GrpcChannelOptions
            {
                MaxReceiveMessageSize = options.MaxReceiveMessageSize,
                MaxSendMessageSize = null, // The server knows its limit and states it.
                MaxRetryBufferPerCallSize = null, // A training is sent again with all its photos.
                MaxRetryBufferSize = null,
                ServiceConfig = Retries.Config(options),
                LoggerFactory = options.LoggerFactory is { } host ? new ChannelLoggers(host) : null,
                DisposeHttpClient = true,
                // a proxy would look for this machine's server on its own
                HttpHandler = Handler(options, usesProxy: !address.IsLoopback && options.ConnectTo is null),
            }
        );
    }

    /// <summary>Takes <c>host:port</c> for <c>http://host:port</c>.</summary>
    /// <exception cref="UriFormatException">It is no address.</exception>
    public static Uri Parse(string address)
    {
        var full = address.Contains("://", StringComparison.Ordinal) ? address : "http://" + address;
        if (
            !Uri.TryCreate(full, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("http" or "https")
            || uri.Host.Length == 0
        )
            throw new UriFormatException($"'{address}' is no server address; write it like http://localhost:5171.");
        if (uri.PathAndQuery != "/" || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
        {
            throw new UriFormatException(
                $"The server address '{address}' has more than a host and a port, which a gRPC server does not have; write {uri.Scheme}://{uri.Authority}."
            );
        }

        return uri;
    }

#if NET
    private static SocketsHttpHandler Handler(DtiClientOptions options, bool usesProxy)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = usesProxy,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            // Training can be idle for long; a dead connection must be noticed all the same.
            KeepAlivePingDelay = options.KeepAlive,
            KeepAlivePingTimeout = options.KeepAlive,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            EnableMultipleHttp2Connections = true,
        };
        if (options.TrustedCertificate is { } trusted)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, chain, errors) =>
                Trusts(trusted, shown, chain, errors);
        if (options.ClientCertificate is { } own)
            handler.SslOptions.ClientCertificates = [own];
        if (options.ConnectTo is { } end)
        {
            handler.ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(end.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                try
                {
                    await socket.ConnectAsync(end, cancellationToken).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            };
        }

        return handler;
    }
#else
    private static HttpClientHandler Handler(DtiClientOptions options, bool usesProxy)
    {
        var handler = new HttpClientHandler { UseProxy = usesProxy };
        if (options.TrustedCertificate is { } trusted)
            handler.ServerCertificateCustomValidationCallback = (_, shown, chain, errors) =>
                Trusts(trusted, shown, chain, errors);
        if (options.ClientCertificate is { } own)
            handler.ClientCertificates.Add(own);
        return handler;
    }
#endif

    /// <summary>
    /// Whether what the server shows goes back to the trusted certificate, is in date, and carries the server's name.
    /// </summary>
    private static bool Trusts(
        X509Certificate2 trusted,
        X509Certificate? shown,
        X509Chain? chain,
        SslPolicyErrors errors
    )
    {
        if (shown is null || chain is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
            return false;
        chain.ChainPolicy.ExtraStore.Add(trusted);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
        using var certificate = new X509Certificate2(shown);
        return chain.Build(certificate)
            && chain.ChainElements[^1].Certificate.RawData.AsSpan().SequenceEqual(trusted.RawData);
    }
}
