using System.Globalization;
using System.Text.RegularExpressions;

namespace Dti.Test;

/// <summary>All parts of the suite.</summary>
internal static partial class Parts
{
    // Those that take longest begin first, so that two threads end at about the same time.
    private static readonly string[] _longestFirst =
    [
        "Dti.Server.Tests",
        "Dti.Engine.Tests",
        "Dti.Cli.Tests",
        "Dti.Studio.Tests",
        "packages",
        "python-shim",
    ];

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(10);

    /// <summary>Of a part on request, which builds or runs much.</summary>
    private static readonly TimeSpan _limitOnRequest = TimeSpan.FromMinutes(20);

    /// <summary>Of a test that starts a process or waits for one.</summary>
    private static readonly TimeSpan _limitOfWaiting = TimeSpan.FromMinutes(2);

    /// <summary>Of a test that only computes.</summary>
    private static readonly TimeSpan _limitOfComputing = TimeSpan.FromMinutes(10);

    /// <summary>The xunit projects, the Python tests, and the shell checks, those that take longest first.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="arguments">For the xunit programs.</param>
    /// <param name="sample">N: every Nth class of the engine's, dti-mini's and the server's tests is run.</param>
    public static IEnumerable<Part> All(string root, string[] arguments, int sample) =>
        Unordered(root, arguments, sample)
            .OrderBy(part =>
                Array.IndexOf(_longestFirst, part.Name) is var place and >= 0 ? place : _longestFirst.Length
            );

    private static IEnumerable<Part> Unordered(string root, string[] arguments, int sample)
    {
        var output = Path.Combine(root, "artifacts", "bin", "Release");
        foreach (
            var project in Directory
                .GetDirectories(Path.Combine(root, "tests"), "*.Tests")
                .Order(StringComparer.Ordinal)
                .Select(folder => Path.GetFileName(folder))
        )
        {
            var computes = project is "Dti.Engine.Tests" or "Dti.Mini.Tests";
            var sampled = sample > 1 && (computes || project == "Dti.Server.Tests");
            // The server's tests take longest, and wait for much of that time.
            string[] threads = project == "Dti.Server.Tests" ? ["-maxThreads", "1.5x"] : [];
            Requirement[] needs = project == "Dti.Studio.Tests" ? [Requirement.Known["chromium"]] : [];
            yield return new Part(project, needs, () =>
                new XunitPart(
                    project,
                    output,
                    computes ? _limitOfComputing : _limitOfWaiting,
                    [.. threads, .. sampled ? XunitPart.Sample(project, output, sample) : [], .. arguments]
                ).Run()
            );
        }

        yield return new Part("python-shim", [Requirement.Known["python"]], () =>
            RunPytest(Path.Combine(root, "clients", "python-shim"))
        );
        if (!OperatingSystem.IsWindows())
        {
            foreach (
                var check in Directory
                    .GetFiles(Path.Combine(root, "eng", "checks"), "*.sh")
                    .Order(StringComparer.Ordinal)
            )
            {
                var needs = File.ReadLines(check)
                    .Select(line => NeedsLine().Match(line))
                    .FirstOrDefault(match => match.Success)
                    ?.Groups[1]
                    .Value
                    ?? "";
                yield return new Part(
                    Path.GetFileNameWithoutExtension(check),
                    [
                        .. needs
                            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                            .Select(word => Requirement.Known[word]),
                    ],
                    () => RunCheck(root, check)
                );
            }
        }
    }

    private static PartResult RunPytest(string folder)
    {
        var (succeeded, text) = ChildProcess.Run(
            folder,
            Requirement.Python!,
            ["-m", "pytest", "-q", "-rfEs", "--color=no", "-p", "no:cacheprovider"],
            _limit,
            startsPrograms: true
        );
        int Count(string word) =>
            Regex.Match(text, $@"(\d+) {word}") is { Success: true } match
                ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
                : 0;
        var failed = PytestFailed().Matches(text).Select(match => match.Groups[1].Value).ToList();
        var failures = failed
            .Select((test, i) => new Failure(test, i == 0 ? text : "see above", "python-shim --no-build"))
            .ToList();
        if (!succeeded && failures.Count == 0)
        {
            failures.Add(new Failure("python-shim", text, "python-shim --no-build"));
        }

        return new PartResult(
            Count("passed"),
            failures,
            [
                .. PytestSkipped()
                    .Matches(text)
                    .Select(match => new Skip($"python-shim {match.Groups[1].Value}", match.Groups[2].Value.Trim())),
            ]
        );
    }

    private static PartResult RunCheck(string root, string check)
    {
        var name = Path.GetFileNameWithoutExtension(check);
        Environment.SetEnvironmentVariable("PYTHON", Requirement.Python); // checks run their Python programs with it
        var (succeeded, text) = ChildProcess.Run(
            root,
            "bash",
            [check],
            Part.RunsOnRequest(name) ? _limitOnRequest : _limit,
            startsPrograms: true
        );
        return succeeded
            ? new PartResult(1, [], [])
            : new PartResult(0, [new Failure(name, text, $"{name} --no-build")], []);
    }

    [GeneratedRegex("^# needs: (.+)$")]
    private static partial Regex NeedsLine();

    [GeneratedRegex(@"^(?:FAILED|ERROR) (\S+)", RegexOptions.Multiline)]
    private static partial Regex PytestFailed();

    [GeneratedRegex(@"^SKIPPED \[\d+\] (\S+?):? (.+)$", RegexOptions.Multiline)]
    private static partial Regex PytestSkipped();
}
