using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace Dti.Cli;

/// <summary>Example lines that <c>--help</c> shows below a command's options.</summary>
internal static class Examples
{
    private const string ExitCodes = "0 ok, 1 failed, 2 wrong usage or a value refused, 3 not found, 4 server not reachable, 130 cancelled";

    private static readonly ConditionalWeakTable<Command, string[]> _lines = [];

    public static void Add(Command command, params string[] lines) => _lines.Add(command, lines);

    /// <summary>The usual help, then examples.</summary>
    internal sealed class Help : SynchronousCommandLineAction
    {
        private readonly HelpAction _usual = new() { MaxWidth = Console.IsOutputRedirected ? 120 : Math.Clamp(Console.WindowWidth, 60, 140) };

        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            _usual.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            var command = parseResult.CommandResult.Command;
            if (_lines.TryGetValue(command, out var lines))
            {
                output.WriteLine("Examples:");
                foreach (var line in lines)
                    output.WriteLine("  " + line);
                output.WriteLine();
            }

            if (command is RootCommand)
                output.WriteLine($"Exit codes: {ExitCodes}.");
            return ExitCode.Ok;
        }
    }
}
