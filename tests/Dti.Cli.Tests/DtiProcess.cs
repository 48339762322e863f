using System.Diagnostics;
using System.Text.Json;

namespace Dti.Cli.Tests;

/// <summary>What a run of the built <c>dti</c> gave.</summary>
internal sealed record DtiResult(int ExitCode, string Output, string Error)
{
    /// <summary>Stdout as one JSON object per line.</summary>
    public IReadOnlyList<JsonElement> Events =>
        [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.Clone())];

    public IEnumerable<JsonElement> EventsOf(string name) => Events.Where(line => line.GetProperty("event").GetString() == name);

    /// <summary>The only event of that name.</summary>
    public JsonElement Event(string name) => Assert.Single(EventsOf(name));
}

/// <summary>Runs the built <c>dti</c> as a process.</summary>
internal static class DtiProcess
{
    /// <summary>The built <c>dti</c>.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "dti.exe" : "dti");

    public static Process Start(string folder, params IEnumerable<string> arguments) => Start(folder, [], arguments);

    public static Process Start(string folder, Dictionary<string, string> environment, params IEnumerable<string> arguments) => StartBy(Program, folder, environment, arguments);

    /// <summary>Starts another program that will start it.</summary>
    public static Process StartBy(string program, string folder, Dictionary<string, string> environment, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DTI_SERVER"] = "", ["DTI_MODELS"] = "", ["DTI_HOME"] = Path.Combine(folder, "home") },
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Runs to the end.</summary>
    public static async Task<DtiResult> RunAsync(string folder, params IEnumerable<string> arguments)
    {
        using var process = Start(folder, arguments);
        return await EndAsync(process);
    }

    /// <summary>What a process gave, once it ends.</summary>
    public static async Task<DtiResult> EndAsync(Process process)
    {
        var cancellation = TestContext.Current.CancellationToken;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var error = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return new DtiResult(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    /// <summary>What Ctrl+C does.</summary>
    public static async Task InterruptAsync(Process process)
    {
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        await kill.WaitForExitAsync();
    }
}
