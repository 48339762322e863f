using Grpc.Core;

namespace Dti.ClientSdk;

/// <summary>One wrong field of a request.</summary>
/// <param name="Field">The field as the contract spells it, for example <c>options.learning_rate</c>.</param>
/// <param name="Description">What to change.</param>
public sealed record FieldViolation(string Field, string Description);

/// <summary>
/// The server refused a call or could not be reached. <see cref="Exception.Message"/> is a sentence for the user.
/// </summary>
public sealed class DtiClientException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="status">The gRPC status.</param>
    /// <param name="message">One sentence for the user.</param>
    /// <param name="innerException">The cause.</param>
    public DtiClientException(StatusCode status, string message, Exception? innerException = null)
        : base(message, innerException) => Status = status;

    /// <summary>The gRPC status: <c>InvalidArgument</c>, <c>NotFound</c>, <c>Unavailable</c>, …</summary>
    public StatusCode Status { get; }

    /// <summary>A stable reason in CAPITALS (<c>google.rpc.ErrorInfo</c>); empty if the server gave none.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Every wrong field of the request, with <c>InvalidArgument</c> (<c>google.rpc.BadRequest</c>).</summary>
    public IReadOnlyList<FieldViolation> FieldViolations { get; init; } = [];

    /// <summary>When to come back (<c>google.rpc.RetryInfo</c>); null if the server gave none.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
