// The one test command: builds everything, runs every test runner, adds up what they say.
// Usage: dti test [--no-build] [WORD] [-- RUNNER ARGUMENTS]
//   WORD: only runners whose name contains it (engine, server, python, publish-win-x64, …)

using Dti.Test;

var runnerArguments = args.SkipWhile(arg => arg != "--").Skip(1).ToArray();
var own = args.TakeWhile(arg => arg != "--").ToArray();
var word = own.FirstOrDefault(arg => !arg.StartsWith('-')) ?? "";
var root = Repository.Root();

if (!own.Contains("--no-build"))
{
    Console.WriteLine("Building…");
    if (!Shell.Run(root, "dotnet", ["build", "Dti.sln", "-c", "Release", "-v", "q", "--nologo"], TimeSpan.FromMinutes(15), out var output))
    {
        Console.WriteLine(output);
        Console.WriteLine("The build failed.");
        return 1;
    }
}

var total = new Tally(0, 0, 0);
foreach (var runner in Runners.All(root, runnerArguments).Where(runner => runner.Name.Contains(word, StringComparison.OrdinalIgnoreCase)))
{
    Console.WriteLine($"── {runner.Name}");
    var tally = runner.Run();
    Console.WriteLine($"   {tally}");
    total += tally;
}

if (total is { Passed: 0, Failed: 0 })
{
    Console.WriteLine("No test ran.");
    return 1;
}

Console.WriteLine();
Console.WriteLine(total);
return total.Failed == 0 ? 0 : 1;
