using System.Collections;
using System.ComponentModel;
using System.Reflection;
using Dti.Engine;
using Dti.Server.Errors;
using Microsoft.Extensions.Configuration;

namespace Dti.Server;

/// <summary>
/// <see cref="DtiServerOptions"/> from configuration: the section <c>Dti</c> of a file, variables <c>DTI_…</c>, and whatever a program puts above
/// them. What is no setting, and what cannot be read as one, is named; all of it at once.
/// </summary>
public static class ServerConfiguration
{
    /// <summary>The section that holds the options.</summary>
    public const string Section = "Dti";

    private const string Prefix = "DTI_";

    /// <summary>
    /// Environment variables as settings: <c>DTI_WEB_PORT</c> is <c>WebPort</c>, <c>DTI_LIMITS__MAX_PHOTOS</c> is <c>Limits:MaxPhotos</c>,
    /// <c>DTI_HOME</c> the folder above <c>ConceptFolder</c>, <c>DTI_MODELS</c> the model folders, separated as in <c>PATH</c>. Others that begin
    /// so are clients', and left out.
    /// </summary>
    /// <param name="variables">Names and values, as <see cref="Environment.GetEnvironmentVariables()"/>.</param>
    public static IEnumerable<KeyValuePair<string, string?>> OfEnvironment(IDictionary variables)
    {
        foreach (var (name, value) in variables.Cast<DictionaryEntry>().Select(entry => ((string)entry.Key, (string?)entry.Value)))
        {
            if (!name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) || string.IsNullOrEmpty(value))
            {
                continue;
            }

            var key = name[Prefix.Length..].Replace("__", ":", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
            switch (key.ToUpperInvariant())
            {
                case "HOME":
                    yield return Setting(nameof(DtiServerOptions.ConceptFolder), Path.Combine(Path.GetFullPath(value), "concepts"));
                    break;
                case "MODELS":
                    foreach (var folder in OfList(nameof(DtiServerOptions.ModelFolders), value.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(Path.GetFullPath)))
                    {
                        yield return folder;
                    }

                    break;
                default:
                    string[] path = [.. Spell(typeof(DtiServerOptions), key.Split(':'))];
                    if (Find(typeof(DtiServerOptions), path[0]) is not null)
                    {
                        yield return Setting(string.Join(':', path), value);
                    }

                    break;
            }
        }
    }

    /// <summary>A setting, by its path below the section.</summary>
    public static KeyValuePair<string, string?> Setting(string key, string? value) => new($"{Section}:{key}", value);

    /// <summary>A list of settings.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> OfList(string key, IEnumerable<string> values) => values.Select((value, i) => Setting($"{key}:{i}", value));

    /// <summary>Reads the options, and checks them.</summary>
    /// <exception cref="ValidationException">Names every setting that is unknown, cannot be read or is out of its range.</exception>
    public static DtiServerOptions Bind(IConfiguration configuration)
    {
        var found = new List<FieldViolation>();
        var readable = new ConfigurationBuilder().AddInMemoryCollection(Readable(configuration.GetSection(Section), typeof(DtiServerOptions), found)).Build();
        var options = readable.GetSection(Section).Get<DtiServerOptions>() ?? new DtiServerOptions { ConceptFolder = "" };
        try
        {
            options.Validate();
        }
        catch (ValidationException wrong)
        {
            found.AddRange(wrong.Violations);
        }

        return found.Count == 0 ? options : throw new ValidationException(found);
    }

    /// <summary>What can be read; what cannot is added to <paramref name="found"/>.</summary>
    private static Dictionary<string, string?> Readable(IConfigurationSection section, Type type, List<FieldViolation> found)
    {
        var readable = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            var name = child.Path[(Section.Length + 1)..].Replace(':', '.');
            var inner = ElementOf(type) ?? Find(type, child.Key)?.PropertyType;
            if (inner is null)
            {
                string[] close = [.. CloseNames.Of(child.Key, Settable(type).Select(property => property.Name))];
                found.Add(new(name, $"{name} is no setting.{(close.Length > 0 ? $" Close: {string.Join(", ", close)}." : "")}"));
            }
            else if (IsScalar(inner) ? child.Value is null && child.GetChildren().Any() : child.Value is { Length: > 0 })
            {
                found.Add(new(name, $"{name} must be {(IsScalar(inner) ? "one value" : ElementOf(inner) is null ? "a section" : "a list")}."));
            }
            else if (!IsScalar(inner))
            {
                foreach (var (key, value) in Readable(child, inner, found))
                {
                    readable.Add(key, value);
                }
            }
            else if (!CanRead(child.Value, inner))
            {
                found.Add(new(name, $"{name} is '{child.Value}'; it must be {Words(Nullable.GetUnderlyingType(inner) ?? inner)}."));
            }
            else
            {
                readable.Add(child.Path, child.Value);
            }
        }

        return readable;
    }

    /// <summary>Names as the options spell them, as far as they know them.</summary>
    private static IEnumerable<string> Spell(Type? type, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            var property = type is null ? null : Find(type, name);
            type = property?.PropertyType;
            yield return property?.Name ?? name;
        }
    }

    private static IEnumerable<PropertyInfo> Settable(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

    private static PropertyInfo? Find(Type type, string name) =>
        Settable(type).FirstOrDefault(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static bool IsScalar(Type type) => TypeDescriptor.GetConverter(Nullable.GetUnderlyingType(type) ?? type).CanConvertFrom(typeof(string));

    private static Type? ElementOf(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    private static bool CanRead(string? value, Type type)
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
        catch (Exception error) when (error is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            return false;
        }
    }

    private static string Words(Type type) => type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type))}"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) ? "a whole number"
        : type == typeof(TimeSpan) ? "a time like 00:00:30"
        : "a number";
}
