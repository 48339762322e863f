using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Dti.Server.Configuration;

namespace Dti.Cli;

/// <summary>
/// Options that a command does not have. System.CommandLine takes them for values of the command's arguments.
/// </summary>
internal static partial class UnknownOptions
{
    /// <summary>A sentence for each of them; what follows <c>--</c> is no option.</summary>
    public static IReadOnlyList<string> Describe(ParseResult result) =>
        [
            .. result
                .Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
                .Where(token => token.Type == TokenType.Argument && OptionName().IsMatch(token.Value))
                .Select(token => Describe(token.Value.Split('=')[0], result.CommandResult)),
        ];

    private static string Describe(string name, CommandResult command)
    {
        var sentence = $"There is no option '{name}'.";
        return CloseNames.Of(name, NamesOf(command)).FirstOrDefault() is { } close
            ? $"{sentence} Did you mean {close}?"
            : sentence;
    }

    private static IEnumerable<string> NamesOf(CommandResult command)
    {
        for (SymbolResult? result = command; result is not null; result = result.Parent)
        {
            if (result is CommandResult { Command: var owner })
                foreach (var option in owner.Options.Where(option => owner == command.Command || option.Recursive))
                    yield return option.Name;
        }
    }

    [GeneratedRegex("^(--[a-z][a-z-]*(=.*)?|-[A-Za-z])$", RegexOptions.Singleline)]
    private static partial Regex OptionName();
}
