using System.Collections;
using Dti.Engine;
using Dti.Server.Configuration;
using Microsoft.Extensions.Configuration;

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

    /// <summary>The section that holds the levels of the log.</summary>
    internal const string Logging = "Logging";

    /// <summary>
    /// Environment variables as settings: <c>DTI_WEB_PORT</c> is <c>WebPort</c>, <c>DTI_LIMITS__MAX_PHOTOS</c> is
    /// <c>Limits:MaxPhotos</c>, <c>DTI_MODELS</c> the model folders, separated as in <c>PATH</c>,
    /// <c>Logging__LogLevel__Dti</c> a level of the log, as everywhere in .NET. Those of clients are left out; others
    /// that begin so, and what says where telemetry goes, stay under their names, for <see cref="Bind"/> to judge.
    /// </summary>
    /// <param name="variables">Names and values, as <see cref="Environment.GetEnvironmentVariables()"/>.</param>
    public static IEnumerable<KeyValuePair<string, string?>> OfEnvironment(IDictionary variables) =>
        EnvironmentSettings.Read(variables);

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
        List<FieldViolation> found =
        [
            .. ConfigurationChecks.OfUnknownKeys(configuration),
            .. ConfigurationChecks.OfHost(configuration),
        ];
        var readable = new ConfigurationBuilder()
            .AddInMemoryCollection(
                ConfigurationChecks.Readable(
                    configuration,
                    configuration.GetSection(Section),
                    typeof(DtiServerOptions),
                    found
                )
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

    /// <summary>Checks what a host reads of its environment by itself.</summary>
    /// <exception cref="ValidationException">Names every level of the log and every collector that is none.</exception>
    internal static void CheckEnvironment(IConfiguration configuration)
    {
        FieldViolation[] found = [.. ConfigurationChecks.OfHost(configuration)];
        if (found.Length > 0)
        {
            throw new ValidationException(found);
        }
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
}
