using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Reflection;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Errors;
using Dti.Server.Security;
using Dti.Server.Telemetry;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Server.Services;

/// <summary>
/// Receives the one message of a call before gRPC does: within its limit and within <see cref="BytesInFlight"/>, also
/// when it is compressed. Bytes that are no message are the caller's mistake, and are refused as such. What gRPC then
/// gets is one whole message that is not compressed.
/// </summary>
internal sealed class GrpcMessages(DtiServerOptions options, BytesInFlight bytes, CallsWithoutToken open)
{
    private const int HeaderBytes = 5; // a flag and a length

    public static void Use(WebApplication app)
    {
        var messages = app.Services.GetRequiredService<GrpcMessages>();
        app.Use(messages.ReceiveAsync);
    }

    private async Task ReceiveAsync(HttpContext context, RequestDelegate next)
    {
        if (
            context.GetEndpoint()?.Metadata is not { } metadata
            || metadata.GetMetadata<GrpcMethodMetadata>()?.Method is not { } method
            || metadata.GetMetadata<GrpcJsonTranscodingMetadata>() is not null
        )
        {
            await next(context);
            return;
        }

        var needsToken = RpcScopes.Of(method.FullName) != Scopes.None;
        using var entered = needsToken ? null : open.TryEnter(method.Type == MethodType.ServerStreaming);
        if (!needsToken && entered is null)
        {
            Refuse(
                context,
                Refusals.ResourceExhausted(
                    "Too many calls without a token are open.",
                    "TOO_MANY_CALLS",
                    TimeSpan.FromSeconds(5)
                )
            );
            return;
        }

        if (method.Type is not (MethodType.Unary or MethodType.ServerStreaming))
        {
            await next(context); // reflection, whose messages gRPC bounds
            return;
        }

        using var account = bytes.Open(needsToken ? Caller.Of(context.User).Id : "");
        context.Features.Set(account);
        var (message, refusal) = await MessageAsync(
            context,
            needsToken ? options.MaxMessageBytes : RequestBounds.SmallMessageBytes,
            DescriptorOf(method),
            account
        );
        if (refusal is not null)
        {
            Refuse(context, refusal);
            return;
        }

        context.Features.Set<IRequestBodyPipeFeature>(new Received(PipeReader.Create(message)));
        await next(context);
    }

    private static async Task<(ReadOnlySequence<byte> Message, DtiException? Refusal)> MessageAsync(
        HttpContext context,
        int limit,
        MessageDescriptor? type,
        BytesInFlight.Account account
    )
    {
        var body = new RequestBody();
        try
        {
            var problem = await body.ReceiveAsync(
                context.Request.BodyReader,
                limit + HeaderBytes,
                account,
                context.RequestAborted
            );
            if (problem != BodyProblem.None)
            {
                return (default, RefusalOf(problem, limit));
            }
        }
        catch (Exception error) when (error is FormatException or InvalidDataException or InvalidOperationException)
        {
            return (default, Refusals.MalformedMessage()); // gRPC-Web's text is no base64
        }
        catch (Exception error)
            when (error is IOException or OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            return (default, Refusals.CallerDisconnected());
        }

        var message = body.Bytes;
        if (!TryHeader(message, out var compressed, out var length) || length != message.Length - HeaderBytes)
        {
            return (default, Refusals.MalformedMessage());
        }

        if (compressed)
        {
            var encoding = $"{context.Request.Headers["grpc-encoding"]}";
            if (encoding is "" or "identity" || length == 0)
            {
                return (default, Refusals.MalformedMessage());
            }

            if (encoding is not ("gzip" or "deflate"))
            {
                return (message, null); // gRPC names those that it knows
            }

            var (unpacked, refusal) = Unpack(message.Slice(HeaderBytes), encoding, limit, account);
            if (refusal is not null)
            {
                return (default, refusal);
            }

            message = unpacked;
        }

        return type is not null && !MessageFields.AreFew(Span(message.Slice(HeaderBytes)), type)
            ? (default, Refusals.TooManyFields(RequestBounds.MaxFields))
            : (message, null);
    }

    private static (ReadOnlySequence<byte> Message, DtiException? Refusal) Unpack(
        ReadOnlySequence<byte> packed,
        string encoding,
        int limit,
        BytesInFlight.Account account
    )
    {
        var unpacked = new RequestBody();
        try
        {
            using var source = PipeReader.Create(packed).AsStream();
            using Stream stream =
                encoding == "gzip"
                    ? new GZipStream(source, CompressionMode.Decompress)
                    : new ZLibStream(source, CompressionMode.Decompress);
            if (unpacked.Receive(stream, limit, account) is not BodyProblem.None and var problem)
            {
                return (default, RefusalOf(problem, limit));
            }
        }
        catch (InvalidDataException)
        {
            return (default, Refusals.MalformedMessage());
        }

        var header = new byte[HeaderBytes];
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(1), (uint)unpacked.Length);
        return (Joined.Of(header, unpacked.Bytes), null);
    }

    private static bool TryHeader(ReadOnlySequence<byte> message, out bool compressed, out long length)
    {
        (compressed, length) = (false, 0);
        if (message.Length < HeaderBytes)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderBytes];
        message.Slice(0, HeaderBytes).CopyTo(header);
        (compressed, length) = (header[0] == 1, BinaryPrimitives.ReadUInt32BigEndian(header[1..]));
        return header[0] <= 1;
    }

    private static ReadOnlySpan<byte> Span(ReadOnlySequence<byte> message) =>
        message.IsSingleSegment ? message.FirstSpan : message.ToArray();

    /// <summary>The refusal of a body that was not received.</summary>
    internal static DtiException RefusalOf(BodyProblem problem, int limit) =>
        problem == BodyProblem.TooLarge
            ? Refusals.MessageTooLarge(limit)
            : Refusals.ResourceExhausted(
                "The server is receiving as many bytes of requests as it may.",
                "BYTES_IN_FLIGHT",
                TimeSpan.FromSeconds(5)
            );

    private static void Refuse(HttpContext context, DtiException refusal)
    {
        var status = StatusMapper.StatusOf(refusal);
        Rejected.Count(status);
        StatusHeaders.Write(context.Response, status);
    }

    private static MessageDescriptor? DescriptorOf(IMethod method) =>
        method.GetType().GetGenericArguments() is [{ } request, _]
            ? (MessageDescriptor?)
                request.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null)
            : null;

    private sealed record Received(PipeReader Reader) : IRequestBodyPipeFeature;

    /// <summary>A header in front of the pieces of a message.</summary>
    private sealed class Joined : ReadOnlySequenceSegment<byte>
    {
        private Joined(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public static ReadOnlySequence<byte> Of(byte[] header, ReadOnlySequence<byte> rest)
        {
            var first = new Joined(header, 0);
            var last = first;
            foreach (var piece in rest)
            {
                var next = new Joined(piece, last.RunningIndex + last.Memory.Length);
                last.Next = next;
                last = next;
            }

            return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        }
    }
}

/// <summary>
/// Calls that need no token and are open now: streams, and others, each at most <see
/// cref="RequestBounds.CallsWithoutToken"/>.
/// </summary>
internal sealed class CallsWithoutToken
{
    private readonly int[] _open = new int[2];

    /// <summary>Counts a call until it is disposed of; null: there are as many as there may be.</summary>
    /// <param name="isStream">Whether it is a stream.</param>
    public IDisposable? TryEnter(bool isStream)
    {
        var kind = isStream ? 1 : 0;
        if (Interlocked.Increment(ref _open[kind]) <= RequestBounds.CallsWithoutToken)
        {
            return new Entered(this, kind);
        }

        Interlocked.Decrement(ref _open[kind]);
        return null;
    }

    private sealed class Entered(CallsWithoutToken calls, int kind) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref calls._open[kind]);
    }
}
