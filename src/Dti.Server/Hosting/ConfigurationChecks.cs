using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Hosting;

/// <summary>Finds every mistake of a configuration, where the binder of .NET would ignore it or name the first.</summary>
internal static class ConfigurationChecks
{
    /// <summary>Levels of the log and collectors of telemetry that are none.</summary>
    public static IEnumerable<FieldViolation> OfHost(IConfiguration configuration) =>
        WrongLevels(configuration.GetSection(ServerConfiguration.Logging))
            .Concat(TelemetrySetup.Violations(configuration));

    /// <summary>Keys outside the sections that are read.</summary>
    public static IEnumerable<FieldViolation> OfUnknownKeys(IConfiguration configuration)
    {
        foreach (var name in configuration.GetChildren().Select(child => child.Key))
        {
            if (name.StartsWith(EnvironmentSettings.Prefix, StringComparison.OrdinalIgnoreCase))
            {
                yield return new(
                    name,
                    $"{name} is no variable of Dti.{SettingTypes.Suggest(name[EnvironmentSettings.Prefix.Length..], EnvironmentSettings.Names, EnvironmentSettings.Prefix)}"
                );
            }
            else if (SettingTypes.Find(typeof(DtiServerOptions), name) is { } setting)
            {
                yield return new(name, $"{setting.Name} belongs into the section {ServerConfiguration.Section}.");
            }
            else if (
                !new[] { ServerConfiguration.Section, ServerConfiguration.Logging, "$schema" }.Contains(
                    name,
                    StringComparer.OrdinalIgnoreCase
                ) && !TelemetrySetup.Reads(name)
            )
            {
                yield return new(
                    name,
                    $"{name} is not read; the sections are {ServerConfiguration.Section} and {ServerConfiguration.Logging}.{SettingTypes.Suggest(name, [ServerConfiguration.Section, ServerConfiguration.Logging])}"
                );
            }
        }
    }

    /// <summary>What can be read; what cannot is added to <paramref name="found"/>.</summary>
    public static Dictionary<string, string?> Readable(
        IConfiguration configuration,
        IConfigurationSection section,
        Type type,
        List<FieldViolation> found
    )
    {
        var readable = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (
            var child in SettingTypes.ElementOf(type) is null
                ? section.GetChildren()
                : LastSource(configuration, section)
        )
        {
            var name = child.Path[(ServerConfiguration.Section.Length + 1)..].Replace(':', '.');
            var inner = SettingTypes.ElementOf(type) ?? SettingTypes.Find(type, child.Key)?.PropertyType;
            if (inner is null)
            {
                found.Add(
                    new(
                        name,
                        $"{name} is no setting.{SettingTypes.Suggest(child.Key, SettingTypes.Settable(type).Select(property => property.Name))}"
                    )
                );
            }
            else if (
                SettingTypes.IsScalar(inner)
                    ? child.Value is null && child.GetChildren().Any()
                    : child.Value is { Length: > 0 }
            )
            {
                found.Add(
                    new(
                        name,
                        $"{name} must be {(SettingTypes.IsScalar(inner) ? "one value" : SettingTypes.ElementOf(inner) is null ? "a section" : "a list")}."
                    )
                );
            }
            else if (!SettingTypes.IsScalar(inner))
            {
                foreach (var (key, value) in Readable(configuration, child, inner, found))
                {
                    readable.Add(key, value);
                }
            }
            else if (!SettingTypes.CanRead(child.Value, inner))
            {
                found.Add(
                    new(
                        name,
                        $"{name} is '{child.Value}'; it must be {SettingTypes.Describe(Nullable.GetUnderlyingType(inner) ?? inner)}."
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
        select new FieldViolation(
            name,
            $"{name} is '{level.Value}'; it must be {SettingTypes.Describe(typeof(LogLevel))}."
        );

    /// <summary>
    /// A list as the last of its sources says it; configuration itself would mix those of all, item by item.
    /// </summary>
    private static IEnumerable<IConfigurationSection> LastSource(
        IConfiguration configuration,
        IConfigurationSection list
    )
    {
        var last = (configuration as IConfigurationRoot)
            ?.Providers.Select(source => source.GetChildKeys([], list.Path).ToArray())
            .LastOrDefault(keys => keys.Length > 0);
        return list.GetChildren().Where(child => last is null || last.Contains(child.Key));
    }
}
