namespace Dti.Cli;

/// <summary>An error of the command itself, not of the server: a sentence for the user and an exit code.</summary>
internal sealed class CliException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
