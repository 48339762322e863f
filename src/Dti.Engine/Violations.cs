using System.Globalization;

namespace Dti.Engine;

/// <summary>Collects everything that is wrong with a request, so that the user hears of it at once.</summary>
internal sealed class Violations
{
    private readonly List<FieldViolation> _found = [];

    /// <summary>Adds one.</summary>
    public void Add(string field, string description) => _found.Add(new FieldViolation(field, description));

    /// <summary>A whole number within bounds, or a violation.</summary>
    /// <param name="field">The field.</param>
    /// <param name="value">Its value.</param>
    /// <param name="min">Smallest value.</param>
    /// <param name="max">Largest value.</param>
    /// <param name="multipleOf">The value is a multiple of it.</param>
    public void Range(string field, int value, int min, int max, int multipleOf = 1)
    {
        if (value < min || value > max || value % multipleOf != 0)
        {
            Add(
                field,
                $"{field} is {value}; it must be {(multipleOf > 1 ? $"a multiple of {multipleOf} " : "")}from {min} to {max}."
            );
        }
    }

    /// <summary>A finite number within bounds, or a violation.</summary>
    /// <param name="field">The field.</param>
    /// <param name="value">Its value.</param>
    /// <param name="min">Smallest value.</param>
    /// <param name="max">Largest value.</param>
    /// <param name="minExcluded">The smallest value itself is not allowed.</param>
    /// <param name="maxExcluded">The largest value itself is not allowed.</param>
    /// <param name="hint">A sentence for who gives another value.</param>
    public void Range(
        string field,
        double value,
        double min,
        double max,
        bool minExcluded = false,
        bool maxExcluded = false,
        string? hint = null
    )
    {
        if (!(value >= min && value <= max) || (minExcluded && value == min) || (maxExcluded && value == max))
        {
            Add(
                field,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{field} is {value}; it must be {(minExcluded ? "above" : "from")} {min} {(maxExcluded ? "to below" : "to")} {max}.{(hint is null ? "" : " " + hint)}"
                )
            );
        }
    }

    /// <summary>A value that the method in use does not have.</summary>
    public void DtiOnly(string field, double value) =>
        Add(
            field,
            string.Create(CultureInfo.InvariantCulture, $"{field} is {value}; it belongs to the method dti alone.")
        );

    /// <summary>Runs a check that throws; its error becomes a violation of the field.</summary>
    public T? Try<T>(string field, Func<T> check)
    {
        try
        {
            return check();
        }
        catch (DtiException error) when (error.Kind == ErrorKind.InvalidArgument)
        {
            Add(field, error.Message);
            return default;
        }
    }

    /// <summary>Throws what was found, if anything.</summary>
    /// <exception cref="ValidationException">Something was found.</exception>
    public void ThrowIfAny()
    {
        if (_found.Count > 0)
        {
            throw new ValidationException(_found);
        }
    }
}
