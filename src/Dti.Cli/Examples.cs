using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace Dti.Cli;

/// <summary>Example lines that <c>--help</c> shows below a command's options.</summary>
internal static class Examples
{
    private const string ExitCodes =
        "0 ok, 1 failed, 2 wrong usage or a value refused, 3 not found, 4 server not reachable, 130 cancelled";

    private static readonly ConditionalWeakTable<Command, string[]> _lines = [];

    public static void Add(Command command, params string[] lines) => _lines.Add(command, lines);

    /// <summary>The usual help, then examples.</summary>
    /// <param name="refusedBy">Options of the root that a command does not take, and its help leaves out.</param>
    internal sealed class Help(Func<Command, IEnumerable<Option>> refusedBy) : SynchronousCommandLineAction
    {
        private readonly HelpAction _usual = new()
        {
            MaxWidth = Console.IsOutputRedirected ? 120 : Math.Clamp(Console.WindowWidth, 60, 140),
        };

        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var command = parseResult.CommandResult.Command;
            foreach (var option in refusedBy(command))
                option.Hidden = true; // for good: the process ends with its help
            _usual.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            if (_lines.TryGetValue(command, out var lines))
            {
                output.WriteLine("Examples:");
                foreach (var line in lines)
                    output.WriteLine("  " + ProgramName.In(line));
                output.WriteLine();
            }

            if (command is RootCommand)
                output.WriteLine($"Exit codes: {ExitCodes}.");
            return ExitCode.Ok;
        }
    }
}
