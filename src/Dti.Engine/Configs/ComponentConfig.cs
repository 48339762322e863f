using System.Text.Json;

namespace Dti.Engine.Configs;

/// <summary>
/// Reads one component's <c>config.json</c>; every error names the file, the key and what is supported.
/// </summary>
/// <param name="component">Name for messages: <c>unet/config.json</c>.</param>
/// <param name="root">The JSON object.</param>
internal sealed class ComponentConfig(string component, JsonElement root)
{
    /// <summary>Its name in messages.</summary>
    public string Component => component;

    /// <summary>All keys, each once.</summary>
    public IEnumerable<string> Keys =>
        root.ValueKind == JsonValueKind.Object ? root.EnumerateObject().Select(pair => pair.Name).Distinct() : [];

    /// <summary>A whole number within bounds; the default where the key is absent or null.</summary>
    public int Int(string key, int absent, int min, int max) =>
        Value(key) is { } value ? CheckedInt(key, value, min, max) : absent;

    /// <summary>A finite number.</summary>
    public double Double(string key, double absent) =>
        Value(key) is not { } value ? absent
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
        : throw Wrong(key, value, "a number");

    /// <summary>True or false.</summary>
    public bool Bool(string key, bool absent) =>
        Value(key) is not { } value ? absent
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw Wrong(key, value, "true or false");

    /// <summary>A text.</summary>
    public string String(string key, string absent) =>
        Value(key) is not { } value ? absent
        : value.ValueKind == JsonValueKind.String ? value.GetString()!
        : throw Wrong(key, value, "a text");

    /// <summary>One whole number per block: a list of that length, or one number for all.</summary>
    public int[] Ints(string key, int absent, int count, int min, int max) =>
        Value(key) is not { } value ? [.. Enumerable.Repeat(absent, count)]
        : value.ValueKind != JsonValueKind.Array ? [.. Enumerable.Repeat(CheckedInt(key, value, min, max), count)]
        : value.GetArrayLength() == count ? [.. value.EnumerateArray().Select(item => CheckedInt(key, item, min, max))]
        : throw Wrong(key, value, $"{count} numbers");

    /// <summary>A list of whole numbers, 1 to 16 of them.</summary>
    public int[] IntList(string key, int min, int max) =>
        Value(key) is { ValueKind: JsonValueKind.Array } value && value.GetArrayLength() is >= 1 and <= 16
            ? [.. value.EnumerateArray().Select(item => CheckedInt(key, item, min, max))]
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{component}: {key} must be a list of 1 to 16 numbers."
            );

    /// <summary>A list of lists of whole numbers, of which each may be empty.</summary>
    public int[][] IntLists(string key, int count, int min, int max) =>
        Value(key) is { ValueKind: JsonValueKind.Array } value
        && value.GetArrayLength() == count
        && value.EnumerateArray().All(list => list.ValueKind == JsonValueKind.Array && list.GetArrayLength() <= 16)
            ?
            [
                .. value
                    .EnumerateArray()
                    .Select(list => list.EnumerateArray().Select(item => CheckedInt(key, item, min, max)).ToArray()),
            ]
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{component}: {key} must be a list of {count} lists of numbers."
            );

    /// <summary>A list of texts.</summary>
    public string[] Strings(string key, int count) =>
        Value(key) is { ValueKind: JsonValueKind.Array } value
        && value.GetArrayLength() == count
        && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(item => item.GetString()!)]
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{component}: {key} must be a list of {count} texts."
            );

    /// <summary>A list of finite numbers.</summary>
    public double[] Doubles(string key, int count) =>
        Value(key) is { ValueKind: JsonValueKind.Array } value
        && value.GetArrayLength() == count
        && value
            .EnumerateArray()
            .All(item =>
                item.ValueKind == JsonValueKind.Number && item.TryGetDouble(out var number) && double.IsFinite(number)
            )
            ? [.. value.EnumerateArray().Select(item => item.GetDouble())]
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{component}: {key} must be a list of {count} numbers."
            );

    /// <summary>The settings below a key; those of an absent one are all absent.</summary>
    public ComponentConfig Section(string key) =>
        Value(key) is not { } value ? new ComponentConfig($"{component}: {key}", default)
        : value.ValueKind == JsonValueKind.Object ? new ComponentConfig($"{component}: {key}", value)
        : throw Wrong(key, value, "an object");

    /// <summary>Of which kind the value is; undefined where the key is absent or null.</summary>
    public JsonValueKind KindOf(string key) => Value(key)?.ValueKind ?? JsonValueKind.Undefined;

    /// <summary>Refuses any value but the one that is implemented.</summary>
    public void Require<T>(string key, T supported)
    {
        if (Value(key) is { } value && value.GetRawText() != JsonSerializer.Serialize(supported))
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{component}: {key} {Short(value)} is not supported; {JsonSerializer.Serialize(supported)} is."
            );
        }
    }

    /// <summary>Refuses any value but those that mean what is implemented.</summary>
    /// <param name="key">The key.</param>
    /// <param name="supported">JSON texts, the one to recommend first.</param>
    public void RequireOneOf(string key, IReadOnlyList<string> supported)
    {
        if (
            Value(key) is { } value
            && !supported.Contains(
                value.ValueKind == JsonValueKind.String ? $"\"{value.GetString()}\"" : value.GetRawText()
            )
        )
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{component}: {key} {Short(value)} is not supported; {supported[0]} is."
            );
        }
    }

    /// <summary>Refuses any value at all.</summary>
    public void RequireAbsent(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (Value(key) is { } value)
            {
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"{component}: {key} {Short(value)} is not supported; only models without it are."
                );
            }
        }
    }

    /// <summary>The error for a value that is well-formed but not implemented.</summary>
    public DtiException Unsupported(string key, string value) =>
        new(ErrorKind.FailedPrecondition, $"{component}: {key} {value} is not supported.");

    private int CheckedInt(string key, JsonElement value, int min, int max) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= min && number <= max
            ? number
            : throw Wrong(key, value, $"a whole number from {min} to {max}");

    private JsonElement? Value(string key) =>
        root.ValueKind == JsonValueKind.Object
        && root.TryGetProperty(key, out var value)
        && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    private DtiException Wrong(string key, JsonElement value, string expected) =>
        new(ErrorKind.FailedPrecondition, $"{component}: {key} is {Short(value)}; expected {expected}.");

    private static string Short(JsonElement value) =>
        value.GetRawText() is { Length: > 60 } text ? text[..60] + "…" : value.GetRawText();
}
