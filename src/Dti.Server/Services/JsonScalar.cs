using System.Buffers.Text;
using System.Globalization;
using Google.Protobuf.Reflection;

namespace Dti.Server.Services;

/// <summary>The values that are no messages, as proto3's JSON mapping writes them.</summary>
internal static class JsonScalar
{
    /// <summary>Whether a text is a value of a field.</summary>
    public static bool IsValid(FieldDescriptor field, string text)
    {
        const NumberStyles Float = NumberStyles.Float;
        var culture = CultureInfo.InvariantCulture;
        return field.FieldType switch
        {
            FieldType.Enum => field.EnumType.FindValueByName(text) is not null
                || int.TryParse(text, NumberStyles.AllowLeadingSign, culture, out _),
            FieldType.Bool => text is "true" or "false",
            FieldType.Double or FieldType.Float => double.TryParse(text, Float, culture, out _)
                || text is "NaN" or "Infinity" or "-Infinity",
            FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => Whole(text, int.MinValue, int.MaxValue),
            FieldType.UInt32 or FieldType.Fixed32 => Whole(text, 0, uint.MaxValue),
            FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => Whole(text, long.MinValue, long.MaxValue),
            FieldType.UInt64 or FieldType.Fixed64 => Whole(text, 0, ulong.MaxValue),
            FieldType.Bytes => Base64.IsValid(text),
            _ => true,
        };
    }

    /// <summary>The values of a field, as messages describe them.</summary>
    public static string Describe(FieldDescriptor field) =>
        field.FieldType switch
        {
            FieldType.Enum => "one of " + string.Join(", ", Names(field.EnumType)),
            FieldType.Bool => "true or false",
            FieldType.Double or FieldType.Float => "a number",
            FieldType.Bytes => "base64",
            FieldType.UInt32 or FieldType.Fixed32 or FieldType.UInt64 or FieldType.Fixed64 =>
                "a whole number that is not negative",
            _ => "a whole number",
        };

    /// <summary>The names of an enumeration's values, without the unspecified one.</summary>
    public static IEnumerable<string> Names(EnumDescriptor type) =>
        type.Values.Where(value => value.Number != 0).Select(value => value.Name);

    private static bool Whole(string text, decimal min, decimal max) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && number >= min
        && number <= max
        && number == decimal.Truncate(number);
}
