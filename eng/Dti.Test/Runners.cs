using System.Globalization;
using System.Text.RegularExpressions;

namespace Dti.Test;

/// <summary>Something that runs tests and counts them.</summary>
internal sealed record Runner(string Name, Func<Tally> Run);

/// <summary>All runners: the xunit projects, the Python tests, and the shell checks, one test each.</summary>
internal static partial class Runners
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(25);

    public static IEnumerable<Runner> All(string root, string[] arguments)
    {
        var output = Path.Combine(root, "artifacts", "bin", "Release");
        foreach (var project in Directory.GetDirectories(Path.Combine(root, "tests"), "*.Tests").Order(StringComparer.Ordinal).Select(folder => Path.GetFileName(folder)))
        {
            var program = Path.Combine(output, project + (OperatingSystem.IsWindows() ? ".exe" : ""));
            yield return new Runner(project, () => RunXunit(output, program, arguments));
        }

        var python = Path.Combine(root, "clients", "python-shim");
        if (Directory.Exists(Path.Combine(python, "tests")))
        {
            yield return new Runner("python-shim", () => RunPytest(python));
        }

        if (!OperatingSystem.IsWindows())
        {
            foreach (var check in Directory.GetFiles(Path.Combine(root, "eng", "checks"), "*.sh").Order(StringComparer.Ordinal))
            {
                yield return new Runner(Path.GetFileNameWithoutExtension(check), () => RunCheck(root, check));
            }
        }
    }

    private static Tally RunXunit(string folder, string program, string[] arguments)
    {
        var ended = Shell.Run(folder, program, ["-noColor", "-noLogo", "-diagnostics", "-longRunning", "60", .. arguments], _limit, out var text);
        var summary = XunitSummary().Match(text);
        if (!summary.Success)
        {
            Console.WriteLine(text);
            return Tally.Broken;
        }

        int Count(string name) => int.Parse(summary.Groups[name].ValueSpan, CultureInfo.InvariantCulture);
        var failed = Count("failed") + Count("errors");
        var tally = new Tally(Count("total") - Count("failed") - Count("skipped"), failed, Count("skipped"));
        if (failed > 0 || !ended)
        {
            Console.WriteLine(text);
        }

        return (ended || failed > 0) && tally.Passed + tally.Failed > 0 ? tally : tally + Tally.Broken;
    }

    private static Tally RunPytest(string folder)
    {
        var python = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python";
        if (!Shell.Run(folder, python, ["-c", "import grpc, google.protobuf, numpy, PIL, pytest"], TimeSpan.FromMinutes(1), out var missing))
        {
            Console.WriteLine($"   The Python tests need grpcio, protobuf, numpy, pillow and pytest: {missing.Trim().Split('\n')[^1]}");
            return Environment.GetEnvironmentVariable("CI") is "true" ? Tally.Broken : new Tally(0, 0, 1);
        }

        var ended = Shell.Run(folder, python, ["-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider"], _limit, out var text);
        int Count(string word) => Regex.Match(text, $@"(\d+) {word}") is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 0;
        var tally = new Tally(Count("passed"), Count("failed") + Count("errors?"), Count("skipped"));
        if (!ended)
        {
            Console.WriteLine(text);
        }

        return ended && tally.Passed > 0 ? tally : tally.Failed > 0 ? tally : tally + Tally.Broken;
    }

    private static Tally RunCheck(string root, string check)
    {
        if (Shell.Run(root, "bash", [check], _limit, out var text))
        {
            return new Tally(1, 0, 0);
        }

        Console.WriteLine(text);
        return Tally.Broken;
    }

    [GeneratedRegex(@"Total: (?<total>\d+), Errors: (?<errors>\d+), Failed: (?<failed>\d+), Skipped: (?<skipped>\d+)")]
    private static partial Regex XunitSummary();
}
