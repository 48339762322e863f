namespace Dti.Engine;

/// <summary>One thing that is wrong with a request.</summary>
/// <param name="Field">The field at fault, as the request spells it: <c>photos[3]</c>, <c>options.steps</c>.</param>
/// <param name="Description">One sentence that says what to change.</param>
public sealed record FieldViolation(string Field, string Description);

/// <summary>
/// Everything that is wrong with a request, at once; its kind is <see cref="ErrorKind.InvalidArgument"/>.
/// </summary>
public sealed class ValidationException : DtiException
{
    /// <summary>Creates the error; <see cref="DtiException.Field"/> is the first violation's.</summary>
    /// <param name="violations">At least one violation, in the order of the request's fields.</param>
    /// <exception cref="ArgumentException"><paramref name="violations"/> is empty.</exception>
    public ValidationException(IReadOnlyList<FieldViolation> violations)
        : base(ErrorKind.InvalidArgument, Join(violations), violations[0].Field)
    {
        Violations = violations;
    }

    /// <summary>Every violation; never empty.</summary>
    public IReadOnlyList<FieldViolation> Violations { get; }

    private static string Join(IReadOnlyList<FieldViolation> violations)
    {
        ArgumentNullException.ThrowIfNull(violations);
        if (violations.Count == 0)
        {
            throw new ArgumentException("A validation error needs at least one violation.", nameof(violations));
        }

        return string.Join(' ', violations.Select(violation => violation.Description));
    }
}
