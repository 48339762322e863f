using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Dti.Tests;

/// <summary>A TCP proxy before a server that can cut all its connections, swallow what passes, and speak TLS.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly X509Certificate2? _certificate;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<TcpClient> _connections = [];
    private readonly Uri _target;
    private readonly Task _accepting;
    private volatile int _frozen; // how often

    /// <summary>Starts a proxy.</summary>
    /// <param name="target">The server.</param>
    /// <param name="certificate">Clients come by TLS and are shown this; null: no TLS.</param>
    public CuttingProxy(Uri target, X509Certificate2? certificate = null)
    {
        _target = target;
        _certificate = certificate;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address =>
        new($"{(_certificate is null ? "http" : "https")}://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Connections that were made.</summary>
    public int Connections { get; private set; }

    /// <summary>The certificate that the last client showed.</summary>
    public string? ClientThumbprint { get; private set; }

    /// <summary>Resets every connection.</summary>
    public void Cut()
    {
        while (_connections.TryTake(out var connection))
        {
            connection.LingerState = new LingerOption(true, 0); // a reset, as when a cable is pulled
            connection.Dispose();
        }
    }

    /// <summary>
    /// From now on nothing passes over the connections that there are, and nobody is told: as when a machine on the way
    /// loses power.
    /// </summary>
    public void Freeze() => _frozen++;

    /// <summary>
    /// Whether new connections are taken and never served, also when this is off again: as by a machine whose server
    /// hangs.
    /// </summary>
    public bool IsSilent { get; set; }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Cut();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception error) when (error is SocketException or InvalidOperationException)
            {
                return; // stopped: while it waited, or before it came to wait again
            }

            Connections++;
            _connections.Add(client);
            if (!IsSilent)
                _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            var near = _certificate is null ? client.GetStream() : await SecureAsync(client.GetStream(), _certificate);
            var server = new TcpClient();
            _connections.Add(server);
            await server.ConnectAsync(_target.Host, _target.Port);
            var far = server.GetStream();
            await Task.WhenAll(CopyAsync(near, far), CopyAsync(far, near));
        }
        catch (AuthenticationException)
        {
            // the client does not trust us, or speaks no TLS: a server would hang up, too
            client.Client.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception)
            when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut.
        }
    }

    private async Task CopyAsync(Stream from, Stream to)
    {
        var (buffer, frozen) = (new byte[65536], _frozen);
        while (await from.ReadAsync(buffer) is > 0 and var count)
        {
            if (frozen == _frozen)
                await to.WriteAsync(buffer.AsMemory(0, count));
        }
    }

    private async Task<Stream> SecureAsync(Stream stream, X509Certificate2 certificate)
    {
        var secure = new SslStream(stream);
        await secure.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificate = certificate,
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                ClientCertificateRequired = true, // asked for; none, or one that nobody signed, will do
                RemoteCertificateValidationCallback = (_, shown, _, errors) =>
                {
                    ClientThumbprint = (shown as X509Certificate2)?.Thumbprint;
                    return errors != SslPolicyErrors.RemoteCertificateNameMismatch;
                },
            }
        );
        return secure;
    }
}
