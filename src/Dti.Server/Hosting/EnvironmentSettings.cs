using System.Collections;
using System.Text.Json;
using Dti.Server.Configuration;
using Dti.Server.Telemetry;

namespace Dti.Server.Hosting;

/// <summary>Environment variables as settings.</summary>
internal static class EnvironmentSettings
{
    /// <summary>How the variables of Dti begin.</summary>
    public const string Prefix = "DTI_";

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

    /// <summary>The names of all variables of Dti that settings or clients read, without their prefix.</summary>
    public static IEnumerable<string> Names =>
        SettingTypes
            .Settable(typeof(DtiServerOptions))
            .Select(property => JsonNamingPolicy.SnakeCaseUpper.ConvertName(property.Name))
            .Concat(_clientsVariables.Append(Models).Select(variable => variable[Prefix.Length..]));

    /// <inheritdoc cref="ServerConfiguration.OfEnvironment"/>
    public static IEnumerable<KeyValuePair<string, string?>> Read(IDictionary variables)
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
            else if (name.StartsWith($"{ServerConfiguration.Logging}__", StringComparison.OrdinalIgnoreCase))
            {
                yield return new(name.Replace("__", ":", StringComparison.Ordinal), value);
            }
            else if (name.Equals(Models, StringComparison.OrdinalIgnoreCase))
            {
                foreach (
                    var folder in ServerConfiguration.OfList(
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
                string[] path = [.. SettingTypes.CanonicalNames(typeof(DtiServerOptions), key.Split(':'))];
                yield return SettingTypes.Find(typeof(DtiServerOptions), path[0]) is null
                    ? new(name, value)
                    : ServerConfiguration.Setting(string.Join(':', path), value);
            }
        }
    }
}
