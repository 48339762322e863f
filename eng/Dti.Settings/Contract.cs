using System.Text.RegularExpressions;

namespace Dti.Settings;

/// <summary>
/// The messages of the contract, read from its text: fields with their comments and their option (setting). Only what
/// messages of settings need is understood.
/// </summary>
internal sealed class Contract
{
    private static readonly Regex _block = new(@"^(message|enum) (\w+) \{");
    private static readonly Regex _field = new(
        @"^(?:(optional|repeated) )?(\w+) (\w+) = \d+(?: \[\(setting\) = \{(.*)\}\])?;$"
    );
    private static readonly Regex _value = new(@"^([A-Z0-9_]+) = \d+;");
    private static readonly Regex _option = new(@"(\w+): (?:""((?:[^""\\]|\\.)*)""|([^\s}]+))");

    private readonly Dictionary<string, List<DeclaredSetting>> _messages = [];

    public Contract(IEnumerable<string> files)
    {
        var texts = files.Select(text => text.Replace("\r\n", "\n").Split('\n')).ToList();
        var enums = texts.SelectMany(Enums).ToDictionary(pair => pair.Name, pair => pair.Words);
        foreach (var lines in texts)
            ReadMessages(lines, enums);
        foreach (var message in _messages.Keys.Where(name => name != OptionsOf(name)).ToList())
        {
            var declared = Settings(OptionsOf(message)).ToDictionary(field => field.Name);
            _messages[message] =
            [
                .. _messages[message]
                    .Select(field => declared.TryGetValue(field.Name, out var of) ? field.DeclaredBy(of) : field),
            ];
        }
    }

    /// <summary>The fields of a message, in the order of the contract; none: there is no such message.</summary>
    public IReadOnlyList<DeclaredSetting> Settings(string message) =>
        _messages.TryGetValue(message, out var fields) ? fields : [];

    /// <summary>TrainingSettings: TrainingOptions.</summary>
    public static string OptionsOf(string settings) => Regex.Replace(settings, "Settings$", "Options");

    private static IEnumerable<(string Name, List<string> Words)> Enums(string[] lines)
    {
        List<string>? words = null;
        var prefix = "";
        foreach (var line in lines.Select(line => line.Trim()))
        {
            if (_block.Match(line) is { Success: true } block && block.Groups[1].Value == "enum")
            {
                var name = block.Groups[2].Value;
                prefix = Regex.Replace(name, "(?<!^)([A-Z])", "_$1").ToUpperInvariant() + "_";
                words = [];
                yield return (name, words);
            }
            else if (words is not null && _value.Match(line) is { Success: true } value)
            {
                var word = value.Groups[1].Value;
                word = word.StartsWith(prefix, StringComparison.Ordinal) ? word.Substring(prefix.Length) : word;
                if (word != "UNSPECIFIED")
                    words.Add(word.ToLowerInvariant());
            }
            else if (line == "}")
            {
                words = null;
            }
        }
    }

    private void ReadMessages(string[] lines, Dictionary<string, List<string>> enums)
    {
        List<DeclaredSetting>? fields = null;
        var (comment, statement) = ("", "");
        foreach (var line in lines.Select(line => line.Trim()))
        {
            if (_block.Match(line) is { Success: true } block)
            {
                fields = block.Groups[1].Value == "message" ? [] : null;
                if (fields is not null)
                    _messages[block.Groups[2].Value] = fields;
                (comment, statement) = ("", "");
            }
            else if (line == "}")
            {
                fields = null;
            }
            else if (line.StartsWith("//", StringComparison.Ordinal))
            {
                comment = (comment + " " + line.TrimStart('/').Trim()).Trim();
            }
            else if (fields is not null)
            {
                statement = (statement + " " + line).Trim();
                if (!statement.EndsWith(";", StringComparison.Ordinal))
                    continue;
                if (_field.Match(statement) is { Success: true } field)
                    fields.Add(Field(field, comment, enums));
                (comment, statement) = ("", "");
            }
        }
    }

    private static DeclaredSetting Field(Match field, string comment, Dictionary<string, List<string>> enums)
    {
        var type = field.Groups[2].Value;
        var options = _option
            .Matches(field.Groups[4].Value)
            .Cast<Match>()
            .ToDictionary(
                option => option.Groups[1].Value,
                option => option.Groups[2].Success ? Regex.Unescape(option.Groups[2].Value) : option.Groups[3].Value
            );
        return new DeclaredSetting(
            field.Groups[3].Value,
            type,
            field.Groups[1].Value,
            comment,
            options,
            enums.TryGetValue(type, out var words) ? words : null
        );
    }
}
