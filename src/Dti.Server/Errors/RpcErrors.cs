using System.Globalization;
using Dti.Engine;
using Dti.Server.Configuration;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Errors;

/// <summary>The one place where errors become gRPC statuses with google.rpc details.</summary>
internal static class RpcErrors
{
    private const string Domain = "dti";

    /// <summary>INVALID_ARGUMENT with every wrong field.</summary>
    public static RpcStatus Invalid(IEnumerable<FieldViolation> violations)
    {
        FieldViolation[] all = [.. violations];
        var details = new BadRequest();
        details.FieldViolations.AddRange(
            all.Select(violation => new BadRequest.Types.FieldViolation
            {
                Field = violation.Field,
                Description = violation.Description,
            })
        );
        return Status(Code.InvalidArgument, string.Join(' ', all.Select(violation => violation.Description)), details);
    }

    /// <summary>INVALID_ARGUMENT for bytes that are no message.</summary>
    public static RpcStatus Malformed() =>
        Status(
            Code.InvalidArgument,
            "The request is not a message of this call: it was cut off or damaged on its way, or made from another contract.",
            Info("MALFORMED_MESSAGE")
        );

    /// <summary>RESOURCE_EXHAUSTED for a request that is larger than this server takes.</summary>
    /// <param name="limit">Bytes.</param>
    public static RpcStatus MessageTooLarge(int limit) =>
        Status(
            Code.ResourceExhausted,
            $"The request is larger than the {limit / (double)(1 << 20):0.#} MiB that this server takes at once. Send fewer photos, or smaller ones: "
                + "training uses at most 2048 pixels of the shorter side. Whoever runs the server can raise MaxMessageBytes.",
            Info("MESSAGE_TOO_LARGE", ("limit_bytes", Number(limit)))
        );

    /// <summary>RESOURCE_EXHAUSTED for a request of more fields than this server takes.</summary>
    public static RpcStatus TooManyFields(int limit) =>
        Status(
            Code.ResourceExhausted,
            $"The request has more than {limit:N0} fields and list items; send fewer.",
            Info("TOO_MANY_FIELDS", ("limit", Number(limit)))
        );

    /// <summary>NOT_FOUND that lists close names.</summary>
    /// <param name="what">concept, model or job.</param>
    /// <param name="name">What was asked.</param>
    /// <param name="known">The names there are.</param>
    public static RpcStatus NotFound(string what, string name, IEnumerable<string> known)
    {
        string[] close = [.. CloseNames.Of(name, known)];
        var info = Info($"{what.ToUpperInvariant()}_NOT_FOUND", ("name", name), ("close", string.Join(',', close)));
        return Status(
            Code.NotFound,
            $"There is no {what} '{name}'.{(close.Length > 0 ? $" Close: {string.Join(", ", close)}." : "")}",
            info
        );
    }

    /// <summary>ALREADY_EXISTS.</summary>
    public static RpcStatus Exists(string message, string reason) => Status(Code.AlreadyExists, message, Info(reason));

    /// <summary>FAILED_PRECONDITION.</summary>
    public static RpcStatus Precondition(string message, string reason) =>
        Status(Code.FailedPrecondition, message, Info(reason));

    /// <summary>RESOURCE_EXHAUSTED with when to come back.</summary>
    public static RpcStatus Exhausted(string message, string reason, TimeSpan retryAfter) =>
        Status(
            Code.ResourceExhausted,
            message,
            Info(reason),
            new RetryInfo { RetryDelay = Duration.FromTimeSpan(retryAfter) }
        );

    /// <summary>UNAUTHENTICATED, in the same words whatever is wrong with the token.</summary>
    public static RpcStatus Unauthenticated() =>
        Status(
            Code.Unauthenticated,
            "This server requires a valid token: set DTI_TOKEN, or send it as 'authorization: Bearer TOKEN'. The server's operator creates one with 'dti tokens create'.",
            Info("TOKEN_REFUSED")
        );

    /// <summary>PERMISSION_DENIED: the token is good, but not for this call.</summary>
    /// <param name="scopes">Those of which one would do.</param>
    public static RpcStatus Denied(IReadOnlyList<string> scopes) =>
        Status(
            Code.PermissionDenied,
            $"This call needs the scope {string.Join(" or ", scopes)}, which your token does not have. The server's operator creates a token with that scope with 'dti tokens create'.",
            Info("SCOPE_MISSING", ("scopes", string.Join(',', scopes)))
        );

    /// <summary>RESOURCE_EXHAUSTED for what will not fit later either.</summary>
    /// <param name="message">With the numbers.</param>
    /// <param name="needed">Bytes.</param>
    /// <param name="available">Bytes.</param>
    public static RpcStatus TooLarge(string message, long needed, long available) =>
        Status(
            Code.ResourceExhausted,
            message,
            Info("JOB_TOO_LARGE", ("needed_bytes", Number(needed)), ("available_bytes", Number(available)))
        );

    /// <summary>CANCELLED.</summary>
    public static RpcStatus Cancelled(string jobId) =>
        Status(Code.Cancelled, $"Job {jobId} was cancelled.", Info("JOB_CANCELLED", ("job_id", jobId)));

    /// <summary>CANCELLED, to nobody: the caller went away.</summary>
    public static RpcStatus Gone() => Status(Code.Cancelled, "The caller went away.");

    /// <summary>ABORTED: the job's process died twice at one step, so that it is not tried again.</summary>
    public static RpcStatus Quarantined(string jobId, int step) =>
        Status(
            Code.Aborted,
            step == 0
                ? $"The server's process ended twice before the first step of job {jobId}, so it is not tried again. Memory may be short: try a smaller resolution or batch."
                : $"The server's process ended twice at step {step} of job {jobId}, so it is not tried again. Memory may be short. A training's last snapshot is kept, and it can be resumed.",
            Info("JOB_QUARANTINED", ("job_id", jobId), ("step", $"{step}"))
        );

    /// <summary>UNAVAILABLE: the server is stopping.</summary>
    public static RpcStatus Stopping() => Status(Code.Unavailable, "The server is stopping.", Info("SERVER_STOPPING"));

    /// <summary>The status of an error that the engine foresaw.</summary>
    public static RpcStatus Of(DtiException error) =>
        (error, error.Kind) switch
        {
            (ValidationException validation, _) => Invalid(validation.Violations),
            (_, ErrorKind.InvalidArgument) => Invalid([new FieldViolation(error.Field ?? "", error.Message)]),
            (_, ErrorKind.NotFound) => Status(Code.NotFound, error.Message, Info("NOT_FOUND")),
            (_, ErrorKind.ResourceExhausted) => Exhausted(error.Message, "RESOURCE_EXHAUSTED", TimeSpan.FromMinutes(1)),
            _ => Precondition(error.Message, "FAILED_PRECONDITION"),
        };

    /// <summary>INTERNAL, for what nobody foresaw; the cause is in the log only.</summary>
    public static RpcStatus Internal() =>
        Status(Code.Internal, "Something went wrong inside the server; its log says what.", Info("INTERNAL"));

    /// <summary>How details are spelt in JSON.</summary>
    public static TypeRegistry Details { get; } = TypeRegistry.FromFiles(ErrorDetailsReflection.Descriptor);

    private static RpcStatus Status(Code code, string message, params Google.Protobuf.IMessage[] details) =>
        StatusSize.Fit((int)code, message, details);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static ErrorInfo Info(string reason, params (string Key, string Value)[] metadata)
    {
        var info = new ErrorInfo { Domain = Domain, Reason = reason };
        foreach (var (key, value) in metadata)
        {
            info.Metadata.Add(key, value);
        }

        return info;
    }
}
