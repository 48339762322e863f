using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Dti.Test;

/// <summary>
/// One xunit project. Its program tells the beginning and end of each test as JSON, so a test that takes too long is
/// stopped by name, the results so far stay, and the tests after it run in a new process.
/// </summary>
internal sealed class XunitPart(string name, string folder, TimeSpan limitOfOneTest, IReadOnlyList<string> arguments)
{
    private const int MaxStops = 5;

    private readonly string _program = Path.Combine(folder, name + (OperatingSystem.IsWindows() ? ".exe" : ""));
    private readonly ConcurrentDictionary<string, (string Name, long Since)> _running = new();
    private readonly Dictionary<string, string> _classes = [];
    private readonly Dictionary<string, string> _methods = [];
    private readonly Dictionary<string, (string Name, string Method)> _tests = [];

    // by test: a Failure, a Skip, or null's stand-in for a test that passed
    private readonly Dictionary<string, object> _results = [];
    private readonly HashSet<string> _finishedMethods = [];
    private readonly List<(string Name, TimeSpan Time)> _times = [];
    private bool _ended;
    private long _lastMessage;

    public PartResult Run()
    {
        for (var stops = 0; ; stops++)
        {
            (_ended, _lastMessage) = (false, Stopwatch.GetTimestamp());
            var finished = _finishedMethods.SelectMany(method => new[] { "-method-", method });
            var (_, output) = ChildProcess.Run(
                folder,
                _program,
                ["-automated", "async", .. arguments, .. finished],
                TimeSpan.FromHours(1),
                Read,
                TooLong,
                startsPrograms: name == "Dti.Cli.Tests"
            );
            if (_ended)
            {
                break;
            }

            foreach (var (test, (display, since)) in _running)
            {
                var seconds = Stopwatch.GetElapsedTime(since).TotalSeconds;
                _results[test] = new Failure(
                    display,
                    ChildProcess.Stopped
                        ? "interrupted"
                        : $"did not end within {seconds:F0} s, or its process did not.\n{output}",
                    Rerun(test)
                );
                _finishedMethods.Add(_tests[test].Method);
            }

            if (_running.IsEmpty || stops == MaxStops || ChildProcess.Stopped)
            {
                _results["end"] = new Failure(name, $"ended before its last test.\n{output}", $"{name} --no-build");
                break;
            }

            _running.Clear();
        }

        return new PartResult(
            _results.Values.Count(result => result is true),
            [.. _results.Values.OfType<Failure>()],
            [.. _results.Values.OfType<Skip>()]
        )
        {
            Times = _times,
        };
    }

    /// <summary>The classes of every <paramref name="nth"/> position, as arguments that select them.</summary>
    public static IEnumerable<string> Sample(string name, string folder, int nth)
    {
        var (_, output) = ChildProcess.Run(
            folder,
            Path.Combine(folder, name),
            ["-list", "classes"],
            TimeSpan.FromMinutes(2)
        );
        var classes = output
            .Split('\n', StringSplitOptions.TrimEntries)
            .Where(line => line.StartsWith(name + '.', StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
        return classes.Where((_, i) => i % nth == 0).SelectMany(one => new[] { "-class", one });
    }

    private string? TooLong()
    {
        var overdue = _running
            .Values.Where(test => Stopwatch.GetElapsedTime(test.Since) > limitOfOneTest)
            .Select(test => test.Name)
            .ToList();
        return overdue.Count > 0
                ? $"{name} was stopped: {string.Join(", ", overdue)} took more than {limitOfOneTest.TotalMinutes} minutes."
            : _running.IsEmpty && Stopwatch.GetElapsedTime(Interlocked.Read(ref _lastMessage)) > limitOfOneTest
                ? $"{name} was stopped: it said nothing for {limitOfOneTest.TotalMinutes} minutes."
            : null;
    }

    private bool Read(string line)
    {
        if (!line.StartsWith("{\"$type\":", StringComparison.Ordinal))
        {
            return false;
        }

        Interlocked.Exchange(ref _lastMessage, Stopwatch.GetTimestamp());
        using var json = JsonDocument.Parse(line);
        var message = json.RootElement;
        string Text(string property) => message.GetProperty(property).GetString()!;
        switch (Text("$type"))
        {
            case "test-class-starting":
                _classes[Text("TestClassUniqueID")] = Text("TestClassName");
                break;
            case "test-method-starting":
                _methods[Text("TestMethodUniqueID")] = $"{_classes[Text("TestClassUniqueID")]}.{Text("MethodName")}";
                break;
            case "test-starting":
                _tests[Text("TestUniqueID")] = (Text("TestDisplayName"), _methods[Text("TestMethodUniqueID")]);
                _running[Text("TestUniqueID")] = (Text("TestDisplayName"), Stopwatch.GetTimestamp());
                break;
            case "test-passed":
                _results[Text("TestUniqueID")] = true;
                break;
            case "test-skipped":
                _results[Text("TestUniqueID")] = new Skip(_tests[Text("TestUniqueID")].Name, Text("Reason"));
                break;
            case "test-failed":
                _results[Text("TestUniqueID")] = new Failure(
                    _tests[Text("TestUniqueID")].Name,
                    Describe(message),
                    Rerun(Text("TestUniqueID"))
                );
                break;
            case "test-finished":
                if (_running.TryRemove(Text("TestUniqueID"), out var test))
                {
                    _times.Add((test.Name, Stopwatch.GetElapsedTime(test.Since)));
                }

                break;
            case "test-method-finished":
                _finishedMethods.Add(_methods[Text("TestMethodUniqueID")]);
                break;
            case "test-assembly-finished":
                _ended = true;
                break;
            case var type when type == "error" || type.EndsWith("cleanup-failure", StringComparison.Ordinal):
                _results[$"{type} {_results.Count}"] = new Failure(
                    $"{name}: {type}",
                    Describe(message),
                    $"{name} --no-build"
                );
                break;
        }

        return true;
    }

    private string Rerun(string test) => $"{name} --no-build -- -method \"{_tests[test].Method}\"";

    private static string Describe(JsonElement failure)
    {
        string Lines(string property) =>
            failure.TryGetProperty(property, out var lines) && lines.ValueKind == JsonValueKind.Array
                ? string.Join('\n', lines.EnumerateArray().Select(line => line.GetString()))
                : "";
        var output = failure.TryGetProperty("Output", out var text) ? text.GetString() : "";
        return $"{Lines("Messages")}\n{Lines("StackTraces")}\n{output}".TrimEnd();
    }
}
