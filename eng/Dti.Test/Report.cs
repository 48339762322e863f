namespace Dti.Test;

/// <summary>What the parts found: one line for each as it ends; at the end skips, failures and the total.</summary>
/// <param name="requireAll">Whether a skip that an installation would end is a failure.</param>
/// <param name="slowest">How many of the slowest tests are listed.</param>
internal sealed class Report(bool requireAll, int slowest)
{
    private readonly Lock _lock = new();
    private readonly List<(Part Part, PartResult Result)> _results = [];

    /// <summary>Whether a part has failed so far.</summary>
    public bool HasFailures => _results.Any(one => one.Result.Failures.Count > 0);

    /// <summary>Prints the line of a part that has ended. Parts may end on several threads.</summary>
    public void Add(Part part, PartResult result, TimeSpan time)
    {
        var failed = requireAll ? result.Skips.Where(skip => skip.CanBeInstalled).ToList() : [];
        result = result with
        {
            Failures =
            [
                .. result.Failures,
                .. failed.Select(skip => new Failure(skip.Name, skip.Reason, $"{part.Name} --no-build")),
            ],
            Skips = [.. result.Skips.Except(failed)],
        };
        lock (_lock)
        {
            _results.Add((part, result));
            Console.WriteLine($"{part.Name, -24}{Counts(result), -42}{time.TotalSeconds, 6:F0} s");
        }
    }

    /// <summary>Prints the end.</summary>
    /// <returns>The exit code.</returns>
    public int Close()
    {
        var all = new PartResult(
            _results.Sum(one => one.Result.Passed),
            [.. _results.SelectMany(one => one.Result.Failures)],
            [.. _results.SelectMany(one => one.Result.Skips)]
        );
        Console.WriteLine();
        foreach (
            var (name, time) in _results
                .SelectMany(one => one.Result.Times)
                .OrderByDescending(test => test.Time)
                .Take(slowest)
        )
        {
            Console.WriteLine($"{time.TotalSeconds, 6:F1} s  {name}");
        }

        foreach (var alike in _results.SelectMany(one => one.Result.Skips.GroupBy(skip => Grouped(one.Part, skip))))
        {
            Console.WriteLine(alike.Key + (alike.Count() > 1 ? $" ({alike.Count()} tests)" : ""));
        }

        foreach (var failure in all.Failures)
        {
            Console.WriteLine(
                $"\nFAILED: {failure.Name}\n  {failure.Output.TrimEnd().ReplaceLineEndings("\n  ")}\n  To run it again: ./dti test {failure.Rerun}"
            );
        }

        if (ChildProcess.Stopped)
        {
            Console.WriteLine("\nInterrupted: the parts that are not listed did not run.");
        }
        else if (all is { Passed: 0, Failures.Count: 0 })
        {
            Console.WriteLine("\nNo test ran.");
            return all.Skips.Count > 0 ? 0 : 1;
        }

        Console.WriteLine();
        Console.WriteLine(Counts(all));
        return ChildProcess.Stopped ? 130
            : all.Failures.Count == 0 ? 0
            : 1;
    }

    /// <summary>
    /// A skip with the name that it is listed by: that of the class for tests that lack the same software, else that of
    /// the test without the arguments of a theory.
    /// </summary>
    private static Skip Grouped(Part part, Skip skip)
    {
        var test = skip.Name.Split('(')[0];
        var isOfClass = skip.CanBeInstalled && test.StartsWith(part.Name + '.', StringComparison.Ordinal);
        return skip with { Name = isOfClass ? test[..test.LastIndexOf('.')] : test };
    }

    private static string Counts(PartResult result) =>
        $"{result.Passed} passed, {result.Failures.Count} failed"
        + (result.Skips.Count > 0 ? $", {result.Skips.Count} skipped" : "");
}
