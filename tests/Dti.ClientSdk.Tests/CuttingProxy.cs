using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Dti.ClientSdk.Tests;

/// <summary>A TCP proxy before a server that can cut all its connections.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<TcpClient> _connections = [];
    private readonly Uri _target;
    private readonly Task _accepting;

    public CuttingProxy(Uri target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Connections that were made.</summary>
    public int Connections { get; private set; }

    /// <summary>Resets every connection.</summary>
    public void Cut()
    {
        while (_connections.TryTake(out var connection))
        {
            connection.LingerState = new LingerOption(true, 0); // a reset, as when a cable is pulled
            connection.Dispose();
        }
    }

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
            catch (SocketException)
            {
                return; // stopped
            }

            Connections++;
            var server = new TcpClient();
            await server.ConnectAsync(_target.Host, _target.Port);
            _connections.Add(client);
            _connections.Add(server);
            _ = PumpAsync(client, server);
            _ = PumpAsync(server, client);
        }
    }

    private static async Task PumpAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream());
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut.
        }
    }
}
