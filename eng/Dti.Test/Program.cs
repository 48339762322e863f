// The one test command: builds everything, runs every part of the suite, adds up what they say.
// Usage: dti test [--no-build] [--list] [--require-all] [--sample N] [--slowest N] [WORD] [-- XUNIT ARGUMENTS]
//   WORD: only parts whose name contains it (engine, server, python, …); packages and docs-pages run only if named
//   --list: shows the parts and what the machine lacks for them, and runs nothing
//   --require-all: a part or test that lacks something that can be installed fails instead of being skipped
//   --sample N: every Nth class of the tests of engine, mini and server, for a quick second run in another environment
//   --slowest N: lists the N slowest tests at the end

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Dti.Test;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var xunitArguments = args.SkipWhile(arg => arg != "--").Skip(1).ToArray();
var own = args.TakeWhile(arg => arg != "--").ToList();
if (!Number("--sample", absent: 1, out var sample) || !Number("--slowest", absent: 0, out var slowest))
{
    return 2;
}

string[] flags = ["--no-build", "--list", "--require-all", "--sample", "--slowest"];
if (own.FirstOrDefault(arg => arg.StartsWith('-') && !flags.Contains(arg)) is { } unknown)
{
    Console.Error.WriteLine(
        $"{unknown} is no option of dti test. Options: {string.Join(", ", flags)}; those of xunit come after --."
    );
    return 2;
}

var word = own.Where((arg, i) => !arg.StartsWith('-') && (i == 0 || own[i - 1] is not ("--sample" or "--slowest")))
    .FirstOrDefault()
    ?? "";
var root = Repository.Root();
var parts = Parts
    .All(root, xunitArguments, sample)
    .Where(part => part.Name.Contains(word, StringComparison.OrdinalIgnoreCase))
    .ToList();
if (parts.Count == 0)
{
    Console.Error.WriteLine(
        $"No part's name contains '{word}'. Parts: {string.Join(", ", Parts.All(root, [], 1).Select(part => part.Name))}."
    );
    return 2;
}

if (own.Contains("--list"))
{
    foreach (var part in parts)
    {
        var missing = part.Needs.Where(need => !need.IsHere()).ToList();
        Console.WriteLine(
            $"{part.Name, -24}{(missing.Count == 0 ? part.IsOnRequest ? "runs on request" : "runs" : string.Join("\n" + new string(' ', 24), missing.Select(need => $"needs {need.Package}, install with {need.Install}")))}"
        );
    }

    return 0;
}

if (word.Length == 0)
{
    parts.RemoveAll(part => part.IsOnRequest);
}

using var interrupt = Stopping(PosixSignal.SIGINT);
using var terminate = Stopping(PosixSignal.SIGTERM);
using var hangup = Stopping(PosixSignal.SIGHUP);
if (!own.Contains("--no-build"))
{
    Console.WriteLine("Building…");
    var (succeeded, output) = ChildProcess.Run(
        root,
        "dotnet",
        ["build", "Dti.sln", "-c", "Release", "-v", "q", "--nologo"],
        TimeSpan.FromMinutes(20)
    );
    if (!succeeded)
    {
        Console.WriteLine(output);
        Console.WriteLine("The build failed.");
        return 1;
    }
}

var used = Directory.CreateTempSubdirectory("dti-test-").FullName;
Environment.SetEnvironmentVariable("FIXTURES_USED", used);
var report = new Report(own.Contains("--require-all"), slowest);
var waiting = new ConcurrentQueue<Part>(parts);

// Half of what the parts take is waiting, so three run at a time where there are two cores. A child process ends with
// the thread that started it, so every thread lives until the last one has ended.
Thread[] others = Environment.ProcessorCount > 1 ? [new Thread(RunParts), new Thread(RunParts)] : [];
foreach (var thread in others)
{
    thread.Start();
}

RunParts();
foreach (var thread in others)
{
    thread.Join();
}

// What was recorded is compared by the engine's tests. If some of them were left out or failed, nothing can be said of
// it.
if (
    parts.Any(part => part.Name == "Dti.Engine.Tests")
    && xunitArguments.Length == 0
    && sample == 1
    && !ChildProcess.Stopped
    && !report.HasFailures
)
{
    var fixtures = new Part(FixturesPart.Name, [], new FixturesPart(root, used).Run);
    report.Add(fixtures, fixtures.Run(), TimeSpan.Zero);
}

Directory.Delete(used, recursive: true);
return report.Close();

void RunParts()
{
    while (!ChildProcess.Stopped && waiting.TryDequeue(out var part))
    {
        var clock = Stopwatch.StartNew();
        var missing = part.Needs.Where(need => !need.IsHere()).ToList();
        report.Add(
            part,
            missing.Count == 0
                ? part.Run()
                : new PartResult(0, [], [.. missing.Select(need => Skip.For(part.Name, need))]),
            clock.Elapsed
        );
    }
}

bool Number(string flag, int absent, out int number)
{
    number = absent;
    var at = own.IndexOf(flag);
    if (at < 0 || (at + 1 < own.Count && int.TryParse(own[at + 1], out number) && number >= 1))
    {
        return true;
    }

    Console.Error.WriteLine($"{flag} takes a whole number of at least 1.");
    return false;
}

static PosixSignalRegistration Stopping(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true; // what has run by then is still reported
        ChildProcess.Stop();
    });
