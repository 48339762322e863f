using System.Collections;
using System.ComponentModel;
using System.Reflection;
using System.Text.Json;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Hosting;

/// <summary>
/// <see cref="DtiServerOptions"/> from configuration: the section <c>Dti</c> of a file, variables <c>DTI_…</c>, and
/// whatever a program puts above them, and the section <c>Logging</c>. Unknown settings and invalid values are all
/// reported at once.
/// </summary>
public static class ServerConfiguration
{
    /// <summary>The section that holds the options.</summary>
    public const string Section = "Dti";

    private const string Prefix = "DTI_";
    private const string Logging = "Logging";
    private const string Models = "DTI_MODELS";

    // Of the clients, and of the command line's data folder; no settings of a server.
    private static readonly string[] _clientsVariables =
    [
        "DTI_HOME",
        "DTI_SERVER",
        "DTI_TOKEN",
        "DTI_TOKEN_FILE",
        "DTI_CA",
        "DTI_CLIENT_CERT",
        "DTI_CLIENT_KEY",
    ];

    // Of the repository's scripts, tools and tests, whose children inherit them.
    private static readonly string[] _scriptsVariables =
    [
        "DTI_ROOT",
        "DTI_EXIT",
        "DTI_TEST_ARGS",
        "DTI_BENCH_ARGS",
        "DTI_FIXTURES",
        "DTI_MINI_WORK",
    ];

    /// <summary>
    /// Environment variables as settings: <c>DTI_WEB_PORT</c> is <c>WebPort</c>, <c>DTI_LIMITS__MAX_PHOTOS</c> is
    /// <c>Limits:MaxPhotos</c>, <c>DTI_MODELS</c> the model folders, separated as in <c>PATH</c>,
    /// <c>Logging__LogLevel__Dti</c> a level of the log, as everywhere in .NET. Those of clients are left out; others
    /// that begin so, and what says where telemetry goes, stay under their names, for <see cref="Bind"/> to judge.
    /// </summary>
    /// <param name="variables">Names and values, as <see cref="Environment.GetEnvironmentVariables()"/>.</param>
    public static IEnumerable<KeyValuePair<string, string?>> OfEnvironment(IDictionary variables)
    {
        foreach (
            var (name, value) in variables
                .Cast<DictionaryEntry>()
                .Select(entry => ((string)entry.Key, (string?)entry.Value))
        )
        {
            if (
                string.IsNullOrEmpty(value)
                || _clientsVariables.Concat(_scriptsVariables).Contains(name, StringComparer.OrdinalIgnoreCase)
            )
            {
                continue;
            }

            if (TelemetrySetup.Reads(name))
            {
                yield return new(name, value);
            }
            else if (name.StartsWith($"{Logging}__", StringComparison.OrdinalIgnoreCase))
            {
                yield return new(name.Replace("__", ":", StringComparison.Ordinal), value);
            }
            else if (name.Equals(Models, StringComparison.OrdinalIgnoreCase))
            {
                foreach (
                    var folder in OfList(
                        nameof(DtiServerOptions.ModelFolders),
                        value.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(Path.GetFullPath)
                    )
                )
                {
                    yield return folder;
                }
            }
            else if (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            {
                var key = name[Prefix.Length..]
                    .Replace("__", ":", StringComparison.Ordinal)
                    .Replace("_", "", StringComparison.Ordinal);
                string[] path = [.. Spell(typeof(DtiServerOptions), key.Split(':'))];
                yield return Find(typeof(DtiServerOptions), path[0]) is null
                    ? new(name, value)
                    : Setting(string.Join(':', path), value);
            }
        }
    }

    /// <summary>A setting, by its path below the section.</summary>
    public static KeyValuePair<string, string?> Setting(string key, string? value) => new($"{Section}:{key}", value);

    /// <summary>A list of settings.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> OfList(string key, IEnumerable<string> values) =>
        values.Select((value, i) => Setting($"{key}:{i}", value));

    /// <summary>Reads the options, and checks them.</summary>
    /// <param name="configuration">Of what a server is told alone: whatever else is in it is named as no
    /// setting.</param>
    /// <exception cref="ValidationException">Names every setting that is unknown, cannot be read or is out of its
    /// range.</exception>
    public static DtiServerOptions Bind(IConfiguration configuration)
    {
        List<FieldViolation> found = [.. Strangers(configuration), .. OfHost(configuration)];
        var readable = new ConfigurationBuilder()
            .AddInMemoryCollection(
                Readable(configuration, configuration.GetSection(Section), typeof(DtiServerOptions), found)
            )
            .Build();
        var options = readable.GetSection(Section).Get<DtiServerOptions>()
            ?? new DtiServerOptions { ConceptFolder = "" };
        try
        {
            options.Validate();
        }
        catch (ValidationException wrong)
        {
            found.AddRange(wrong.Violations);
        }

        return found.Count == 0
            ? options
            : throw new ValidationException([
                .. found.Select(wrong =>
                    FileOf(configuration, wrong.Field) is { } file
                        ? wrong with
                        {
                            Description = $"{file}: {wrong.Description}",
                        }
                        : wrong
                ),
            ]);
    }

    /// <summary>The file that a setting was read from; null: a variable, a flag or a default.</summary>
    private static string? FileOf(IConfiguration configuration, string name)
    {
        var path = name.Replace('.', ':');
        var last = (configuration as IConfigurationRoot)?.Providers.LastOrDefault(source =>
            Has(source, $"{Section}:{path}") || Has(source, path)
        );
        return last is FileConfigurationProvider { Source: { Path: { } file } source }
            ? source.FileProvider?.GetFileInfo(file).PhysicalPath ?? file
            : null;

        static bool Has(IConfigurationProvider source, string key) =>
            source.TryGet(key, out _) || source.GetChildKeys([], key).Any();
    }

    /// <summary>Checks what a host reads of its environment by itself.</summary>
    /// <exception cref="ValidationException">Names every level of the log and every collector that is none.</exception>
    internal static void CheckEnvironment(IConfiguration configuration)
    {
        FieldViolation[] found = [.. OfHost(configuration)];
        if (found.Length > 0)
        {
            throw new ValidationException(found);
        }
    }

    private static IEnumerable<FieldViolation> OfHost(IConfiguration configuration) =>
        WrongLevels(configuration.GetSection(Logging)).Concat(TelemetrySetup.Violations(configuration));

    /// <summary>Keys outside the sections that are read.</summary>
    private static IEnumerable<FieldViolation> Strangers(IConfiguration configuration)
    {
        foreach (var name in configuration.GetChildren().Select(child => child.Key))
        {
            if (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            {
                var known = Settable(typeof(DtiServerOptions))
                    .Select(property => JsonNamingPolicy.SnakeCaseUpper.ConvertName(property.Name))
                    .Concat(_clientsVariables.Append(Models).Select(variable => variable[Prefix.Length..]));
                yield return new(name, $"{name} is no variable of Dti.{Close(name[Prefix.Length..], known, Prefix)}");
            }
            else if (Find(typeof(DtiServerOptions), name) is { } setting)
            {
                yield return new(name, $"{setting.Name} belongs into the section {Section}.");
            }
            else if (
                !new[] { Section, Logging, "$schema" }.Contains(name, StringComparer.OrdinalIgnoreCase)
                && !TelemetrySetup.Reads(name)
            )
            {
                yield return new(
                    name,
                    $"{name} is not read; the sections are {Section} and {Logging}.{Close(name, [Section, Logging])}"
                );
            }
        }
    }

    /// <summary>Levels of the log that are none; the logging would say so of one at a time, by an exception.</summary>
    private static IEnumerable<FieldViolation> WrongLevels(IConfigurationSection logging) =>
        from child in logging.GetChildren()
        from level in (
            child.Key.Equals("LogLevel", StringComparison.OrdinalIgnoreCase) ? child : child.GetSection("LogLevel")
        ).GetChildren()
        where
            level.Value is { Length: > 0 } value
            && !(Enum.TryParse<LogLevel>(value, ignoreCase: true, out var known) && Enum.IsDefined(known))
        let name = level.Path.Replace(':', '.')
        select new FieldViolation(name, $"{name} is '{level.Value}'; it must be {Words(typeof(LogLevel))}.");

    /// <summary>What can be read; what cannot is added to <paramref name="found"/>.</summary>
    private static Dictionary<string, string?> Readable(
        IConfiguration configuration,
        IConfigurationSection section,
        Type type,
        List<FieldViolation> found
    )
    {
        var readable = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var child in ElementOf(type) is null ? section.GetChildren() : LastWord(configuration, section))
        {
            var name = child.Path[(Section.Length + 1)..].Replace(':', '.');
            var inner = ElementOf(type) ?? Find(type, child.Key)?.PropertyType;
            if (inner is null)
            {
                found.Add(
                    new(
                        name,
                        $"{name} is no setting.{Close(child.Key, Settable(type).Select(property => property.Name))}"
                    )
                );
            }
            else if (
                IsScalar(inner) ? child.Value is null && child.GetChildren().Any() : child.Value is { Length: > 0 }
            )
            {
                found.Add(
                    new(
                        name,
                        $"{name} must be {(IsScalar(inner) ? "one value" : ElementOf(inner) is null ? "a section" : "a list")}."
                    )
                );
            }
            else if (!IsScalar(inner))
            {
                foreach (var (key, value) in Readable(configuration, child, inner, found))
                {
                    readable.Add(key, value);
                }
            }
            else if (!CanRead(child.Value, inner))
            {
                found.Add(
                    new(
                        name,
                        $"{name} is '{child.Value}'; it must be {Words(Nullable.GetUnderlyingType(inner) ?? inner)}."
                    )
                );
            }
            else
            {
                readable.Add(child.Path, child.Value);
            }
        }

        return readable;
    }

    /// <summary>
    /// A list as the last of its sources says it; configuration itself would mix those of all, item by item.
    /// </summary>
    private static IEnumerable<IConfigurationSection> LastWord(IConfiguration configuration, IConfigurationSection list)
    {
        var last = (configuration as IConfigurationRoot)
            ?.Providers.Select(source => source.GetChildKeys([], list.Path).ToArray())
            .LastOrDefault(keys => keys.Length > 0);
        return list.GetChildren().Where(child => last is null || last.Contains(child.Key));
    }

    private static string Close(string name, IEnumerable<string> known, string prefix = "")
    {
        string[] close = [.. CloseNames.Of(name, known).Select(candidate => prefix + candidate)];
        return close.Length > 0 ? $" Close: {string.Join(", ", close)}." : "";
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

    private static bool IsScalar(Type type) =>
        TypeDescriptor.GetConverter(Nullable.GetUnderlyingType(type) ?? type).CanConvertFrom(typeof(string));

    private static Type? ElementOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)
            ? type.GetGenericArguments()[0]
            : null;

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
        catch (Exception error)
            when (error is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            return false;
        }
    }

    private static string Words(Type type) =>
        type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type))}"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) ? "a whole number"
        : type == typeof(TimeSpan) ? "a time like 00:00:30"
        : "a number";
}
