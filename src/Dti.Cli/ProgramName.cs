using Dti.Cli.Demo;

namespace Dti.Cli;

/// <summary>The command as the user of this installation types it, for hints that can be copied.</summary>
internal static class ProgramName
{
    /// <summary><c>dti</c> where it is installed; in a clone its script, <c>./dti</c> or <c>.\dti.cmd</c>.</summary>
    public static string Text { get; } =
        Of(AppContext.BaseDirectory, Environment.CurrentDirectory, OperatingSystem.IsWindows());

    /// <summary>A command line that begins with <c>dti</c>, as it is typed here.</summary>
    public static string In(string line) => line.StartsWith("dti ", StringComparison.Ordinal) ? Text + line[3..] : line;

    /// <param name="programFolder">Of the program; in a clone <c>artifacts/published/Release</c> or
    /// <c>artifacts/run/N</c>.</param>
    /// <param name="currentFolder">Of the user.</param>
    /// <param name="windows">Whether the script is that of Windows.</param>
    internal static string Of(string programFolder, string currentFolder, bool windows)
    {
        var clone = Path.GetFullPath(Path.Combine(programFolder, "..", "..", ".."));
        var script = Path.Combine(clone, windows ? "dti.cmd" : "dti");
        return !File.Exists(script) || !File.Exists(Path.Combine(clone, "Dti.sln")) ? "dti"
            : Path.GetFullPath(currentFolder) != Path.TrimEndingDirectorySeparator(clone) ? CommandText.Quote(script)
            : windows ? @".\dti.cmd"
            : "./dti";
    }
}
