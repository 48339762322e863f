using System.Diagnostics;

namespace Dti.Bench;

/// <summary>Runs programs.</summary>
internal static class ChildProcess
{
    /// <summary>What a program writes to its standard output.</summary>
    /// <exception cref="InvalidOperationException">It did not end with 0.</exception>
    public static string Output(string program, params string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', words)} ended with {process.ExitCode}. {output}"
            );
    }
}
