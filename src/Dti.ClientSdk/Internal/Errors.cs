using Google.Rpc;
using Grpc.Core;

namespace Dti.ClientSdk.Internal;

/// <summary>A gRPC failure to what callers see.</summary>
internal static class Errors
{
    /// <summary>An <see cref="OperationCanceledException"/> if the caller cancelled, else a <see cref="DtiClientException"/>.</summary>
    public static Exception Translate(RpcException exception, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return new OperationCanceledException("The call was cancelled by its caller.", exception, cancellationToken);

        var status = exception.GetRpcStatus();
        return new DtiClientException(exception.StatusCode, Sentence(exception), exception)
        {
            Reason = status?.GetDetail<ErrorInfo>()?.Reason ?? "",
            FieldViolations =
            [
                .. (status?.GetDetail<BadRequest>()?.FieldViolations ?? [])
                    .Select(violation => new FieldViolation(violation.Field, violation.Description)),
            ],
            RetryAfter = status?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan(),
        };
    }

    /// <summary>True where the connection is at fault and not the request: a later try may succeed.</summary>
    public static bool IsConnectionLost(RpcException exception) => exception.StatusCode == StatusCode.Unavailable;

    // The runtime's words for a lost connection speak of internals.
    private static string Sentence(RpcException exception) => exception switch
    {
        { StatusCode: StatusCode.Unavailable, Status.DebugException: not null } =>
            "The server cannot be reached, or the connection to it was lost.",
        { StatusCode: StatusCode.DeadlineExceeded } => "The deadline of the call passed before it ended.",
        { Status.Detail.Length: > 0 } => exception.Status.Detail,
        _ => $"The call failed with status {exception.StatusCode}.",
    };
}
