using System.Collections.ObjectModel;

namespace Dti.Engine;

/// <summary>Why something was refused. The server maps each kind to the gRPC status of the same name.</summary>
public enum ErrorKind
{
    /// <summary>A value of the request is wrong in itself.</summary>
    InvalidArgument,

    /// <summary>What the request names does not exist.</summary>
    NotFound,

    /// <summary>The request is fine, but something it relies on (a model folder, a concept file) is not.</summary>
    FailedPrecondition,

    /// <summary>A bound was reached: disk, memory, queue.</summary>
    ResourceExhausted,

    /// <summary>What the request would create exists already.</summary>
    AlreadyExists,

    /// <summary>The caller is not authenticated.</summary>
    Unauthenticated,

    /// <summary>The caller is authenticated, but may not do this.</summary>
    PermissionDenied,

    /// <summary>The work was cancelled.</summary>
    Cancelled,

    /// <summary>The work was given up and is not tried again.</summary>
    Aborted,

    /// <summary>Nothing can answer now; a later try may succeed.</summary>
    Unavailable,
}

/// <summary>An error that a user can act on: its message is a sentence that says what to change.</summary>
public class DtiException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="kind">Why.</param>
    /// <param name="message">One sentence for the user.</param>
    /// <param name="field">The setting at fault, as the request spells it (<c>options.learning_rate</c>), or
    /// null.</param>
    /// <param name="innerException">The cause, for the log.</param>
    public DtiException(ErrorKind kind, string message, string? field = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Kind = kind;
        Field = field;
    }

    /// <summary>Why.</summary>
    public ErrorKind Kind { get; }

    /// <summary>The setting at fault, as the request spells it, or null.</summary>
    public string? Field { get; }

    /// <summary>
    /// The stable reason that clients decide by, in capitals (<c>CONCEPT_NOT_FOUND</c>); null: the one of <see
    /// cref="Kind"/>.
    /// </summary>
    public string? Reason { get; init; }

    /// <summary>What the reason speaks of, such as names close to one that was not found, by key.</summary>
    public IReadOnlyDictionary<string, string> Details { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>After which time another try may succeed; null: unknown.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
