using System.ComponentModel;
using System.Reflection;
using Dti.Server.Configuration;

namespace Dti.Server.Hosting;

/// <summary>The settings that options types declare, by reflection: their names, types and texts.</summary>
internal static class SettingTypes
{
    /// <summary>Names as the options spell them, as far as they know them.</summary>
    public static IEnumerable<string> CanonicalNames(Type? type, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            var property = type is null ? null : Find(type, name);
            type = property?.PropertyType;
            yield return property?.Name ?? name;
        }
    }

    /// <summary>The settings of a section.</summary>
    public static IEnumerable<PropertyInfo> Settable(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

    /// <summary>A setting by its name, in any case; null: there is none.</summary>
    public static PropertyInfo? Find(Type type, string name) =>
        Settable(type).FirstOrDefault(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a setting is one value, no section and no list.</summary>
    public static bool IsScalar(Type type) =>
        TypeDescriptor.GetConverter(Nullable.GetUnderlyingType(type) ?? type).CanConvertFrom(typeof(string));

    /// <summary>The type of a list's elements; null: the type is no list.</summary>
    public static Type? ElementOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)
            ? type.GetGenericArguments()[0]
            : null;

    /// <summary>Whether a text is a value of a type.</summary>
    public static bool CanRead(string? value, Type type)
    {
        if (string.IsNullOrEmpty(value))
        {
            return !type.IsValueType || Nullable.GetUnderlyingType(type) is not null;
        }

        try
        {
            TypeDescriptor.GetConverter(Nullable.GetUnderlyingType(type) ?? type).ConvertFromInvariantString(value);
            return true;
        }
        catch (Exception error)
            when (error is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            return false;
        }
    }

    /// <summary>The values of a type, as messages describe them.</summary>
    public static string Describe(Type type) =>
        type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type))}"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) ? "a whole number"
        : type == typeof(TimeSpan) ? "a time like 00:00:30"
        : "a number";

    /// <summary>A sentence with the known names that are close to one; empty: none is.</summary>
    public static string Suggest(string name, IEnumerable<string> known, string prefix = "")
    {
        string[] close = [.. CloseNames.Of(name, known).Select(candidate => prefix + candidate)];
        return close.Length > 0 ? $" Close: {string.Join(", ", close)}." : "";
    }
}
