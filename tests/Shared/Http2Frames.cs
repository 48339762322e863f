using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Dti.Tests;

/// <summary>A connection that speaks HTTP/2 without TLS frame by frame, and may misbehave.</summary>
internal sealed class Http2Frames : IDisposable
{
    /// <summary>What a connection begins with.</summary>
    public static readonly byte[] Preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte Reset = 3;
    private const byte Settings = 4;
    private const byte Continuation = 9;
    private const byte EndStream = 1;
    private const byte EndHeaders = 4;
    private const int MaxFrame = 16_384;
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private int _next = 1;

    private Http2Frames() { }

    /// <summary>Connects.</summary>
    /// <param name="server">Its address.</param>
    /// <param name="hello">Whether the preface and settings are sent.</param>
    /// <param name="window">Bytes that the server may send on a stream.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<Http2Frames> ConnectAsync(
        Uri server,
        bool hello = true,
        int window = 65_535,
        CancellationToken cancellationToken = default
    )
    {
        var frames = new Http2Frames();
        await frames._socket.ConnectAsync(server.Host, server.Port, cancellationToken).ConfigureAwait(false);
        if (hello)
        {
            await frames.SendAsync(Preface, cancellationToken).ConfigureAwait(false);
            var settings = new byte[6];
            settings[1] = 4; // INITIAL_WINDOW_SIZE
            BinaryPrimitives.WriteInt32BigEndian(settings.AsSpan(2), window);
            await frames.SendAsync(Frame(Settings, 0, 0, settings), cancellationToken).ConfigureAwait(false);
        }

        return frames;
    }

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        await _socket.SendAsync(bytes, cancellationToken).ConfigureAwait(false);

    /// <summary>Opens a stream for a call of gRPC.</summary>
    /// <returns>Its number.</returns>
    public async Task<int> OpenAsync(string method, string? token, CancellationToken cancellationToken)
    {
        var stream = _next;
        _next += 2;
        await SendAsync(Frame(Headers, EndHeaders, stream, Block(method, token)), cancellationToken)
            .ConfigureAwait(false);
        return stream;
    }

    /// <summary>Sends a message of gRPC, and ends the caller's side.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="message">At most 64 KiB, which a server takes before it says how much more it would.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task MessageAsync(int stream, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var framed = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed.AsMemory(5));
        for (var at = 0; at < framed.Length; at += MaxFrame)
        {
            var length = Math.Min(MaxFrame, framed.Length - at);
            await SendAsync(
                    Frame(Data, at + length == framed.Length ? EndStream : (byte)0, stream, framed.AsSpan(at, length)),
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
    }

    /// <summary>Opens streams and resets each at once.</summary>
    /// <returns>How many were sent before the server closed the connection.</returns>
    public async Task<int> ResetRapidlyAsync(string method, int count, CancellationToken cancellationToken)
    {
        for (var sent = 0; sent < count; sent++)
        {
            try
            {
                var stream = await OpenAsync(method, token: null, cancellationToken).ConfigureAwait(false);
                await SendAsync(Frame(Reset, 0, stream, [0, 0, 0, 8]), cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                return sent;
            }
        }

        return count;
    }

    /// <summary>Sends headers that do not end.</summary>
    /// <returns>Bytes sent before the server closed the connection.</returns>
    public async Task<long> FloodWithHeadersAsync(string method, long most, CancellationToken cancellationToken)
    {
        var sent = 0L;
        try
        {
            await SendAsync(Frame(Headers, 0, _next, Block(method, token: null)), cancellationToken)
                .ConfigureAwait(false);
            for (var number = 0; sent < most; number++)
            {
                var header = Literal($"x-{number}", new string('a', 8000));
                await SendAsync(Frame(Continuation, 0, _next, header), cancellationToken).ConfigureAwait(false);
                sent += header.Length;
            }
        }
        catch (SocketException)
        {
            // It was closed.
        }

        return sent;
    }

    public void Dispose() => _socket.Dispose();

    private static byte[] Block(string method, string? token)
    {
        var headers = new List<(string Name, string Value)>
        {
            (":method", "POST"),
            (":path", $"/{method}"),
            (":scheme", "http"),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        };
        if (token is not null)
        {
            headers.Add(("authorization", $"Bearer {token}"));
        }

        return [.. headers.SelectMany(header => Literal(header.Name, header.Value))];
    }

    private static byte[] Literal(string name, string value) => [0, .. Text(name), .. Text(value)];

    private static IEnumerable<byte> Text(string text)
    {
        var length = text.Length; // RFC 7541, 5.1, with a prefix of 7 bits
        if (length < 127)
        {
            return Encoding.ASCII.GetBytes(text).Prepend((byte)length);
        }

        var head = new List<byte> { 127 };
        for (length -= 127; length > 127; length >>= 7)
        {
            head.Add((byte)((length & 127) | 128));
        }

        return [.. head, (byte)length, .. Encoding.ASCII.GetBytes(text)];
    }

    private static byte[] Frame(byte kind, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        (frame[3], frame[4]) = (kind, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }
}
