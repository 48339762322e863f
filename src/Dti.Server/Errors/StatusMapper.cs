using Dti.Engine;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Errors;

/// <summary>
/// Maps exceptions to <c>google.rpc.Status</c>. It is the one place that does: interceptor, device worker, the storage
/// of failed jobs and the checks before gRPC all call it.
/// </summary>
internal static class StatusMapper
{
    private const string Domain = "dti";
    private static readonly TimeSpan _retryAfter = TimeSpan.FromMinutes(1);

    /// <summary>The messages that a status has as details, for its JSON.</summary>
    public static TypeRegistry DetailTypes { get; } = TypeRegistry.FromFiles(ErrorDetailsReflection.Descriptor);

    /// <summary>INTERNAL, for unforeseen errors; only the log has the cause.</summary>
    public static RpcStatus Internal =>
        Create(Code.Internal, "Something went wrong inside the server; its log says what.", Info("INTERNAL"));

    /// <summary>The status that a caller gets for an exception; <see cref="Internal"/> if it is unforeseen.</summary>
    public static RpcStatus StatusOf(Exception error) =>
        error switch
        {
            StatusException known => known.Status,
            ValidationException wrong => Invalid(wrong.Violations),
            DtiException { Kind: ErrorKind.InvalidArgument, Reason: null } wrong => Invalid([
                new FieldViolation(wrong.Field ?? "", wrong.Message),
            ]),
            DtiException refusal => Create(CodeOf(refusal.Kind), refusal.Message, [.. DetailsOf(refusal)]),
            RpcException known => known.GetRpcStatus()
                ?? new RpcStatus { Code = (int)known.StatusCode, Message = known.Status.Detail },
            _ => Internal,
        };

    /// <summary>Whether an exception has a status of its own; an operator must look for the cause of others.</summary>
    public static bool IsForeseen(Exception error) => error is DtiException or StatusException or RpcException;

    private static RpcStatus Invalid(IReadOnlyList<FieldViolation> violations)
    {
        var details = new BadRequest();
        details.FieldViolations.AddRange(
            violations.Select(violation => new BadRequest.Types.FieldViolation
            {
                Field = violation.Field,
                Description = violation.Description,
            })
        );
        var message = string.Join(' ', violations.Select(violation => violation.Description));
        return Create(Code.InvalidArgument, message, details);
    }

    private static IEnumerable<IMessage> DetailsOf(DtiException refusal)
    {
        if (ReasonOf(refusal) is { } reason)
        {
            yield return Info(reason, refusal.Details);
        }

        var retryAfter = refusal is { Kind: ErrorKind.ResourceExhausted, Reason: null }
            ? _retryAfter
            : refusal.RetryAfter;
        if (retryAfter is { } delay)
        {
            yield return new RetryInfo { RetryDelay = Duration.FromTimeSpan(delay) };
        }
    }

    private static string? ReasonOf(DtiException refusal) =>
        (refusal.Reason, refusal.Kind) switch
        {
            ({ } reason, _) => reason,
            (_, ErrorKind.NotFound) => "NOT_FOUND",
            (_, ErrorKind.FailedPrecondition) => "FAILED_PRECONDITION",
            (_, ErrorKind.ResourceExhausted) => "RESOURCE_EXHAUSTED",
            _ => null,
        };

    private static Code CodeOf(ErrorKind kind) =>
        kind switch
        {
            ErrorKind.InvalidArgument => Code.InvalidArgument,
            ErrorKind.NotFound => Code.NotFound,
            ErrorKind.FailedPrecondition => Code.FailedPrecondition,
            ErrorKind.ResourceExhausted => Code.ResourceExhausted,
            ErrorKind.AlreadyExists => Code.AlreadyExists,
            ErrorKind.Unauthenticated => Code.Unauthenticated,
            ErrorKind.PermissionDenied => Code.PermissionDenied,
            ErrorKind.Cancelled => Code.Cancelled,
            ErrorKind.Aborted => Code.Aborted,
            ErrorKind.Unavailable => Code.Unavailable,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "unknown kind of error"),
        };

    private static RpcStatus Create(Code code, string message, params IMessage[] details) =>
        StatusSize.Fit((int)code, message, details);

    private static ErrorInfo Info(string reason, params IEnumerable<KeyValuePair<string, string>> details)
    {
        var info = new ErrorInfo { Domain = Domain, Reason = reason };
        foreach (var (key, value) in details)
        {
            info.Metadata.Add(key, value);
        }

        return info;
    }
}
