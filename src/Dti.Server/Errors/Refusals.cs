using System.Globalization;
using Dti.Engine;
using Dti.Server.Configuration;

namespace Dti.Server.Errors;

/// <summary>
/// The errors of the server that have a reason of their own. They are data; <see cref="StatusMapper"/> makes them gRPC
/// statuses.
/// </summary>
internal static class Refusals
{
    /// <summary>The reason of a model that does not fit into memory alongside the models in use.</summary>
    public const string ModelMemoryFull = "MODEL_MEMORY_FULL";

    /// <summary>INVALID_ARGUMENT for bytes that are no message.</summary>
    public static DtiException MalformedMessage() =>
        Of(
            ErrorKind.InvalidArgument,
            "The request is not a message of this call: it was cut off or damaged on its way, or made from another contract.",
            "MALFORMED_MESSAGE"
        );

    /// <summary>RESOURCE_EXHAUSTED for a request that is larger than this server takes.</summary>
    /// <param name="limit">Bytes.</param>
    public static DtiException MessageTooLarge(int limit) =>
        Of(
            ErrorKind.ResourceExhausted,
            $"The request is larger than the {limit / (double)(1 << 20):0.#} MiB that this server takes at once. Send fewer photos, or smaller ones: "
                + "training uses at most 2048 pixels of the shorter side. Whoever runs the server can raise MaxMessageBytes.",
            "MESSAGE_TOO_LARGE",
            ("limit_bytes", Number(limit))
        );

    /// <summary>RESOURCE_EXHAUSTED for a request of more fields than this server takes.</summary>
    public static DtiException TooManyFields(int limit) =>
        Of(
            ErrorKind.ResourceExhausted,
            $"The request has more than {limit:N0} fields and list items; send fewer.",
            "TOO_MANY_FIELDS",
            ("limit", Number(limit))
        );

    /// <summary>NOT_FOUND that lists close names.</summary>
    /// <param name="what">concept, model or job.</param>
    /// <param name="name">The name that was asked for.</param>
    /// <param name="known">The names there are.</param>
    public static DtiException NotFound(string what, string name, IEnumerable<string> known)
    {
        string[] close = [.. CloseNames.Of(name, known)];
        return Of(
            ErrorKind.NotFound,
            $"There is no {what} '{name}'.{(close.Length > 0 ? $" Close: {string.Join(", ", close)}." : "")}",
            $"{what.ToUpperInvariant()}_NOT_FOUND",
            ("name", name),
            ("close", string.Join(',', close))
        );
    }

    /// <summary>ALREADY_EXISTS.</summary>
    public static DtiException AlreadyExists(string message, string reason) =>
        Of(ErrorKind.AlreadyExists, message, reason);

    /// <summary>FAILED_PRECONDITION.</summary>
    public static DtiException FailedPrecondition(string message, string reason) =>
        Of(ErrorKind.FailedPrecondition, message, reason);

    /// <summary>RESOURCE_EXHAUSTED with the time after which another try may succeed.</summary>
    public static DtiException ResourceExhausted(string message, string reason, TimeSpan retryAfter) =>
        new(ErrorKind.ResourceExhausted, message) { Reason = reason, RetryAfter = retryAfter };

    /// <summary>UNAVAILABLE with the time after which another try may succeed.</summary>
    public static DtiException Unavailable(string message, string reason, TimeSpan retryAfter) =>
        new(ErrorKind.Unavailable, message) { Reason = reason, RetryAfter = retryAfter };

    /// <summary>RESOURCE_EXHAUSTED for a job that will not fit later either.</summary>
    /// <param name="message">With the numbers.</param>
    /// <param name="needed">Bytes.</param>
    /// <param name="available">Bytes.</param>
    public static DtiException JobTooLarge(string message, long needed, long available) =>
        Of(
            ErrorKind.ResourceExhausted,
            message,
            "JOB_TOO_LARGE",
            ("needed_bytes", Number(needed)),
            ("available_bytes", Number(available))
        );

    /// <summary>UNAUTHENTICATED, in the same words whatever is wrong with the token.</summary>
    public static DtiException Unauthenticated() =>
        Of(
            ErrorKind.Unauthenticated,
            "This server requires a valid token: set DTI_TOKEN, or send it as 'authorization: Bearer TOKEN'. The server's operator creates one with 'dti tokens create'.",
            "TOKEN_REFUSED"
        );

    /// <summary>PERMISSION_DENIED: the token is good, but not for this call.</summary>
    /// <param name="scopes">Those of which one would do.</param>
    public static DtiException ScopeMissing(IReadOnlyList<string> scopes) =>
        Of(
            ErrorKind.PermissionDenied,
            $"This call needs the scope {string.Join(" or ", scopes)}, which your token does not have. The server's operator creates a token with that scope with 'dti tokens create'.",
            "SCOPE_MISSING",
            ("scopes", string.Join(',', scopes))
        );

    /// <summary>CANCELLED: the caller cancelled the job.</summary>
    public static DtiException JobCancelled(string jobId) =>
        Of(ErrorKind.Cancelled, $"Job {jobId} was cancelled.", "JOB_CANCELLED", ("job_id", jobId));

    /// <summary>CANCELLED, which no caller receives: the call was closed.</summary>
    public static DtiException CallerDisconnected() => new(ErrorKind.Cancelled, "The caller went away.");

    /// <summary>ABORTED: the job's process died twice at one step, so that it is not tried again.</summary>
    public static DtiException JobQuarantined(string jobId, int step) =>
        Of(
            ErrorKind.Aborted,
            step == 0
                ? $"The server's process ended twice before the first step of job {jobId}, so it is not tried again. Memory may be short: try a smaller resolution or batch."
                : $"The server's process ended twice at step {step} of job {jobId}, so it is not tried again. Memory may be short. A training's last snapshot is kept, and it can be resumed.",
            "JOB_QUARANTINED",
            ("job_id", jobId),
            ("step", $"{step}")
        );

    /// <summary>UNAVAILABLE: the server is stopping.</summary>
    public static DtiException ServerStopping() =>
        Of(ErrorKind.Unavailable, "The server is stopping.", "SERVER_STOPPING");

    /// <summary>A host of the cluster left while it was asked.</summary>
    public static DtiException ClusterChanging() =>
        Of(
            ErrorKind.Unavailable,
            "A host of the cluster did not answer, as it has just left or is about to. Try again in a minute.",
            "CLUSTER_CHANGING"
        );

    private static DtiException Of(
        ErrorKind kind,
        string message,
        string reason,
        params ReadOnlySpan<(string Key, string Value)> details
    )
    {
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in details)
        {
            named.Add(key, value);
        }

        return new DtiException(kind, message) { Reason = reason, Details = named };
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
