using System.Globalization;

namespace Dti.Settings;

/// <summary>A field of a message of settings, with what the option (setting) says of it.</summary>
internal sealed class DeclaredSetting(
    string name,
    string type,
    string label,
    string comment,
    IReadOnlyDictionary<string, string> options,
    IReadOnlyList<string>? enumWords
)
{
    /// <summary>As in the contract: <c>batch_size</c>.</summary>
    public string Name => name;

    /// <summary>As in the contract: <c>int32</c>, <c>double</c>, the name of an enumeration, ….</summary>
    public string Type => type;

    /// <summary>What the option (setting) says.</summary>
    public IReadOnlyDictionary<string, string> Options => options;

    public bool IsRepeated => label == "repeated";

    /// <summary>Whether it may be left out.</summary>
    public bool IsOptional => label == "optional";

    /// <summary>The words of an enumeration, without the unspecified one; null: it is none.</summary>
    public IReadOnlyList<string>? EnumWords => enumWords;

    public bool IsNumber => type is "int32" or "double";

    public string Comment => comment;

    /// <summary>The property of the message's class.</summary>
    public string MessageProperty => Pascal(name);

    /// <summary>The property of the engine's and the SDK's records.</summary>
    public string Property => Text("csharp") ?? Pascal(name);

    /// <summary>Of the property: <c>batchSize</c>.</summary>
    public string Variable => Camel(Property);

    /// <summary>The option of the command: <c>--batch</c>.</summary>
    public string Option => "--" + (Text("option") ?? name.Replace('_', '-'));

    public string? ValueName => Text("value_name");

    public string? Default => Text("default");

    public double? Min => Number("min");

    public double? Max => Number("max");

    public bool MinExcluded => Text("min_excluded") == "true";

    public bool MaxExcluded => Text("max_excluded") == "true";

    public int MultipleOf => (int)(Number("multiple_of") ?? 1);

    /// <summary>A sentence for who gives a value outside the bounds.</summary>
    public string? Hint => Text("hint");

    public bool DtiOnly => Text("dti_only") == "true";

    /// <summary>The type of its value in C#, without what an enumeration's namespace is.</summary>
    public string ValueType =>
        type switch
        {
            "int32" => "int",
            "uint64" => "ulong",
            _ => type,
        };

    /// <summary>The default as an expression in C#; null: it is words, or there is none.</summary>
    public string? DefaultExpression
    {
        get
        {
            if (Default is not { } text || IsRepeated)
                return null;
            if (enumWords is not null)
                return enumWords.Contains(text) ? $"{type}.{Pascal(text)}" : null;
            var style = NumberStyles.Float;
            return type switch
            {
                "int32" when int.TryParse(text, style, CultureInfo.InvariantCulture, out _) => text,
                "double" when double.TryParse(text, style, CultureInfo.InvariantCulture, out _) => text,
                "bool" when text is "true" or "false" => text,
                _ => null,
            };
        }
    }

    /// <summary>Its bounds, default and applicability as sentences, each with a space before it.</summary>
    public string Bounds =>
        (Range is { } range ? " " + range : "")
        + (Default is { } value && !(type == "bool" && value == "false") ? $" Default: {value}." : "")
        + (DtiOnly ? " For the method dti only." : "");

    /// <summary>The field of resolved settings whose options are declared by another field of the same name.</summary>
    public DeclaredSetting DeclaredBy(DeclaredSetting declaration) =>
        new(name, type, label, comment.Length > 0 ? comment : declaration.Comment, declaration.Options, enumWords);

    private string? Range =>
        (Min, Max) is not ({ } min, { } max) ? null
        : MultipleOf > 1 ? $"A multiple of {MultipleOf} from {Spell(min)} to {Spell(max)}."
        : (MinExcluded ? $"Above {Spell(min)}" : $"From {Spell(min)}")
            + (
                MaxExcluded ? $" to below {Spell(max)}."
                : MinExcluded ? $" and at most {Spell(max)}."
                : $" to {Spell(max)}."
            );

    /// <summary>A number as C# reads it.</summary>
    public string Literal(double value) =>
        type == "int32"
            ? ((int)value).ToString(CultureInfo.InvariantCulture)
            : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>BATCH_SIZE or batch_size: BatchSize.</summary>
    public static string Pascal(string text) =>
        string.Concat(
            text.Split(['_'], StringSplitOptions.RemoveEmptyEntries)
                .Select(word => char.ToUpperInvariant(word[0]) + word.Substring(1).ToLowerInvariant())
        );

    private static string Camel(string text) => char.ToLowerInvariant(text[0]) + text.Substring(1);

    private static string Spell(double value) =>
        value >= 10_000
            ? value.ToString("N0", CultureInfo.InvariantCulture)
            : value.ToString("R", CultureInfo.InvariantCulture);

    private string? Text(string option) => options.TryGetValue(option, out var value) ? value : null;

    private double? Number(string option) =>
        Text(option) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;
}
