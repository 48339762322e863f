using System.Net;
using Grpc.Net.Client;

namespace Dti.ClientSdk.Internal;

/// <summary>How channels to a server are made.</summary>
internal static class Channels
{
    public static GrpcChannel Open(Uri address, DtiClientOptions options) => GrpcChannel.ForAddress(address, new GrpcChannelOptions
    {
        MaxReceiveMessageSize = options.MaxReceiveMessageSize,
        MaxSendMessageSize = null, // The server knows its limit and states it.
        DisposeHttpClient = true,
        HttpHandler = new SocketsHttpHandler
        {
            // Training can be silent for long; a dead connection must be noticed all the same.
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            EnableMultipleHttp2Connections = true,
            AutomaticDecompression = DecompressionMethods.None,
        },
    });

    /// <summary>Takes <c>host:port</c> for <c>http://host:port</c>.</summary>
    /// <exception cref="UriFormatException">It is no address.</exception>
    public static Uri Parse(string address)
    {
        var full = address.Contains("://", StringComparison.Ordinal) ? address : "http://" + address;
        return Uri.TryCreate(full, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0
            ? uri
            : throw new UriFormatException($"'{address}' is no server address; write it like http://localhost:5171.");
    }
}
