using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using Google.Rpc;
using Grpc.Core;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>Calls of gRPC by HTTP/2 alone, whose bytes may be anything.</summary>
internal sealed class RawGrpc(Uri address) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = address };

    public void Dispose() => _http.Dispose();

    /// <summary>One message in its frame.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> message, byte flag = 0)
    {
        var frame = new byte[5 + message.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame.AsSpan(5));
        return frame;
    }

    /// <summary>A message of gzip.</summary>
    public static byte[] Packed(ReadOnlySpan<byte> message)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize))
        {
            gzip.Write(message);
        }

        return Frame(packed.ToArray(), flag: 1);
    }

    /// <summary>Calls a method.</summary>
    /// <returns>The status, and the reason in its details; empty: it has none.</returns>
    public async Task<(StatusCode Code, string Reason)> CallAsync(
        string method,
        byte[] body,
        string mediaType = "application/grpc",
        string? encoding = null,
        string? token = null
    )
    {
        using var response = await SendAsync(method, body, mediaType, encoding, token);
        await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        var status = Header(response, "grpc-status")
            ?? throw new InvalidOperationException($"HTTP {response.StatusCode} without a status of gRPC");
        var details = Header(response, "grpc-status-details-bin") is { } text
            ? Google.Rpc.Status.Parser.ParseFrom(Convert.FromBase64String(text))
            : null;
        return (
            (StatusCode)int.Parse(status, System.Globalization.CultureInfo.InvariantCulture),
            details?.GetDetail<ErrorInfo>()?.Reason ?? ""
        );
    }

    /// <summary>Sends a request and returns when the headers of the response are there.</summary>
    public Task<HttpResponseMessage> SendAsync(
        string method,
        byte[] body,
        string mediaType = "application/grpc",
        string? encoding = null,
        string? token = null
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/" + method)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } },
        };
        request.Headers.TE.ParseAdd("trailers");
        if (encoding is not null)
        {
            request.Headers.Add("grpc-encoding", encoding);
        }

        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return _http.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            TestContext.Current.CancellationToken
        );
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out var trailing) ? trailing.First()
        : response.Headers.TryGetValues(name, out var values) ? values.First()
        : null;
}
