using Dti.ClientSdk;
using Dti.Server.Diagnosis;

namespace Dti.Cli.Output;

/// <summary>Where a command says what happens: to a person at a terminal, to a log, or to a program.</summary>
internal interface IOutput
{
    /// <summary>Something happened, for programs; people are told by the other members.</summary>
    /// <param name="name">What, in snake_case.</param>
    /// <param name="value">An object whose properties tell more.</param>
    void Event(string name, object value);

    /// <summary>A line for people.</summary>
    void Line(string text = "");

    /// <summary>Rows for people.</summary>
    void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows);

    /// <summary>A line of a checkup.</summary>
    void Finding(Finding finding);

    /// <summary>Something the user should know; the command continues.</summary>
    void Warning(string code, string message);

    /// <summary>Why the command failed.</summary>
    void Error(CommandError error);

    /// <summary>Shows progress for as long as <paramref name="work"/> runs.</summary>
    Task WithProgressAsync(string title, Func<IProgressMeter, Task> work);
}

/// <summary>Progress of one piece of work.</summary>
internal interface IProgressMeter
{
    /// <summary>A step was done.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="total">Steps to do.</param>
    /// <param name="details">Numbers shown next to the bar.</param>
    /// <param name="timeLeft">Estimate, if there is one.</param>
    void Report(int step, int total, string details, TimeSpan? timeLeft);
}

/// <summary>Why a command failed.</summary>
/// <param name="Code">For programs.</param>
/// <param name="Message">For people.</param>
internal sealed record CommandError(string Code, string Message)
{
    /// <summary>Every wrong field.</summary>
    public IReadOnlyList<FieldViolation> Violations { get; init; } = [];

    /// <summary>When to try again, if the server said so.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
