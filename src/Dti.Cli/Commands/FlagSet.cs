using System.CommandLine;
using Dti.Server.Hosting;

namespace Dti.Cli.Commands;

/// <summary>
/// Options of a command that stand for settings of the server; given, they go before its file and the environment.
/// </summary>
internal sealed class FlagSet
{
    private readonly List<(Option Option, string Key, Func<string, string> Read)> _flags = [];

    public IEnumerable<Option> Options => _flags.Select(flag => flag.Option);

    /// <summary>Adds one.</summary>
    /// <param name="key">The setting's path.</param>
    /// <param name="option">Its type checks what is given.</param>
    /// <param name="read">From what is given to the setting's value; null: as it is.</param>
    public void Add(string key, Option option, Func<string, string>? read = null) =>
        _flags.Add((option, key, read ?? (value => value)));

    /// <summary>The settings that were given.</summary>
    public IEnumerable<KeyValuePair<string, string?>> Given(ParseResult arguments) =>
        _flags.SelectMany(flag =>
        {
            var values = arguments.GetResult(flag.Option) is { Implicit: false } given
                ? given.Tokens.Select(token => flag.Read(token.Value)).ToArray()
                : [];
            return flag.Option.ValueType.IsArray
                ? ServerConfiguration.OfList(flag.Key, values)
                : values.Select(value => ServerConfiguration.Setting(flag.Key, value));
        });
}
