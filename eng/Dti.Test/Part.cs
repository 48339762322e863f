namespace Dti.Test;

/// <summary>A part of the suite: one xunit project, the Python tests, or one shell check.</summary>
/// <param name="Name">Its name, of which a word selects it.</param>
/// <param name="Needs">What the machine must have for it.</param>
/// <param name="Run">Runs it.</param>
internal sealed record Part(string Name, IReadOnlyList<Requirement> Needs, Func<PartResult> Run)
{
    // They check what a release consists of, its packages and its documentation. That takes minutes and says nothing
    // about the machine.
    private static readonly string[] _onRequest = ["docs-pages", "packages"];

    /// <summary>Whether it runs only if it is named.</summary>
    public bool IsOnRequest => RunsOnRequest(Name);

    /// <summary>Whether the part of a name runs only if it is named.</summary>
    public static bool RunsOnRequest(string name) => _onRequest.Contains(name, StringComparer.Ordinal);
}

/// <summary>A test that failed.</summary>
/// <param name="Name">Of the test.</param>
/// <param name="Output">What went wrong.</param>
/// <param name="Rerun">The arguments of <c>dti test</c> that run this test alone.</param>
internal sealed record Failure(string Name, string Output, string Rerun);

/// <summary>A test or a part that did not run.</summary>
/// <param name="Name">Of the test or the part.</param>
/// <param name="Reason">Why; begins with "needs" if an installation would change that.</param>
internal sealed record Skip(string Name, string Reason)
{
    public static Skip For(string name, Requirement missing) =>
        new(name, $"needs {missing.Package}, install with {missing.Install}");

    public bool CanBeInstalled => Reason.StartsWith("needs ", StringComparison.Ordinal);

    public override string ToString() => $"skipped: {Name}, {Reason}";
}

/// <summary>What a part found.</summary>
internal sealed record PartResult(int Passed, IReadOnlyList<Failure> Failures, IReadOnlyList<Skip> Skips)
{
    /// <summary>The duration of each test, where it is known.</summary>
    public IReadOnlyList<(string Name, TimeSpan Time)> Times { get; init; } = [];
}
