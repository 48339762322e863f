using System.Net.Sockets;
using System.Security.Authentication;
using Dti.ClientSdk.Internal.Rpc;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dti.ClientSdk.Internal;

/// <summary>A gRPC failure to what callers see.</summary>
internal static class Errors
{
    // The server's timer starts later than the caller's, and neither is exact.
    private static readonly TimeSpan _timerSlack = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// An <see cref="OperationCanceledException"/> if the caller cancelled, else a <see cref="DtiClientException"/>.
    /// </summary>
    public static Exception Translate(
        RpcException exception,
        CancellationToken cancellationToken,
        DateTime? deadline = null
    )
    {
        if (cancellationToken.IsCancellationRequested)
            return new OperationCanceledException(
                "The call was cancelled by its caller.",
                exception,
                cancellationToken
            );
        if (IsConnectionLost(exception) && HasPassed(deadline))
            return DeadlineExceeded(exception);

        var details = Details(exception);
        return new DtiClientException(
            IsConnectionLost(exception) ? StatusCode.Unavailable : exception.StatusCode,
            Sentence(exception),
            exception
        )
        {
            Reason = Find<ErrorInfo>(details)?.Reason ?? "",
            FieldViolations =
            [
                .. (Find<BadRequest>(details)?.FieldViolations ?? []).Select(violation => new FieldViolation(
                    violation.Field,
                    violation.Description
                )),
            ],
            RetryAfter = Find<RetryInfo>(details)?.RetryDelay?.ToTimeSpan(),
        };
    }

    /// <summary>
    /// Whether a call's time is up. A server that ends a call then may close the stream before its status arrives,
    /// which looks like a lost connection.
    /// </summary>
    public static bool HasPassed(DateTime? deadline) => deadline is { } end && DateTime.UtcNow >= end - _timerSlack;

    /// <summary>The error of a call whose time is up.</summary>
    public static DtiClientException DeadlineExceeded(Exception? cause = null) =>
        new(StatusCode.DeadlineExceeded, "The deadline of the call passed before it ended.", cause);

    /// <summary>True where the connection is at fault and not the request: a later try may succeed.</summary>
    /// <remarks>
    /// A peer that stopped answering pings, or with which no connection could be agreed on, is INTERNAL to gRPC, with
    /// the cause in hand; a server's own INTERNAL comes without.
    /// </remarks>
    public static bool IsConnectionLost(RpcException exception) =>
        exception.StatusCode == StatusCode.Unavailable
        || (
            exception.StatusCode == StatusCode.Internal
            && Causes(exception)
                .Any(cause =>
                    cause
                        is HttpRequestException
                            or AuthenticationException
                            or IOException
                            and not InvalidProtocolBufferException
                )
        );

    private static IEnumerable<Exception> Causes(RpcException exception)
    {
        for (var cause = exception.Status.DebugException; cause is not null; cause = cause.InnerException)
            yield return cause;
    }

    private static RepeatedField<Any> Details(RpcException exception)
    {
        try
        {
            return exception.Trailers.GetValueBytes("grpc-status-details-bin") is { } bytes
                ? Rpc.Status.Parser.ParseFrom(bytes).Details
                : [];
        }
        catch (InvalidProtocolBufferException)
        {
            return []; // A proxy's, not ours; the status and its sentence remain.
        }
    }

    private static T? Find<T>(RepeatedField<Any> details)
        where T : class, IMessage, new()
    {
        foreach (var detail in details)
        {
            if (detail.TryUnpack<T>(out var found))
                return found;
        }

        return null;
    }

    // The runtime's words for a lost connection speak of internals.
    private static string Sentence(RpcException exception) =>
        exception switch
        {
            _ when Causes(exception).OfType<AuthenticationException>().Any() =>
                "The server's certificate is not trusted or has another name, the server does not trust this client's, or it speaks no TLS (http://).",
            { Status.DebugException: HttpRequestException } when !Causes(exception).OfType<SocketException>().Any() =>
                "The connection ended without an answer: it was lost, or what listens there speaks TLS (https://), wants a certificate of this client, is the server's port for browsers, or is no Dti server.",
            { Status.DebugException: not null } when IsConnectionLost(exception) =>
                "The server cannot be reached, or the connection to it was lost.",
            { StatusCode: StatusCode.Unimplemented } =>
                "What answers at this address does not know this call: it is not a Dti server, or an older one than this client.",
            _ when exception.Status.Detail.StartsWith("Bad gRPC response", StringComparison.Ordinal) =>
                "What answers at this address is not a Dti server, or is its port for browsers (WebPort); give the address that dti serve prints.",
            { StatusCode: StatusCode.ResourceExhausted }
                when exception.Status.Detail.StartsWith("Received message exceeds", StringComparison.Ordinal) =>
                $"The answer is larger than this client accepts ({nameof(DtiClientOptions)}.{nameof(DtiClientOptions.MaxReceiveMessageSize)}). Ask for fewer or smaller images, or raise that limit.",
            _ when exception.Status.Detail.StartsWith("Failed to deserialize", StringComparison.Ordinal) =>
                "The answer cannot be read: server and client are of different versions. Update the older one.",
            { StatusCode: StatusCode.DeadlineExceeded } => "The deadline of the call passed before it ended.",
            { Status.Detail.Length: > 0 } => exception.Status.Detail,
            _ => $"The call failed with status {exception.StatusCode}.",
        };
}
