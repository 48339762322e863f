namespace Dti.Engine;

/// <summary>Why the engine refused something; decides the gRPC status on the server.</summary>
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
}
