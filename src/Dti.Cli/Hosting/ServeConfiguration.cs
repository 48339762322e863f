using System.Text.Json;
using System.Text.RegularExpressions;
using Dti.Server.Configuration;
using Dti.Server.Hosting;
using Microsoft.Extensions.Configuration;

namespace Dti.Cli.Hosting;

/// <summary>What <c>dti serve</c> is told, the last word last: its file, the environment, its flags.</summary>
internal static partial class ServeConfiguration
{
    /// <summary>The file that is read where none is named, if it is there.</summary>
    public const string FileName = "appsettings.json";

    private const string TokenFileKey = $"{nameof(DtiServerOptions.Security)}:{nameof(SecurityOptions.TokenFile)}";

    /// <summary>The file of tokens that a server would be told.</summary>
    /// <inheritdoc cref="Read"/>
    public static string TokenFile(string? file, string data) =>
        Path.GetFullPath(Read(file, data, [])[ServerConfiguration.Setting(TokenFileKey, null).Key]!);

    /// <summary>Reads it.</summary>
    /// <param name="file">The file; null: <see cref="FileName"/> in <paramref name="data"/>.</param>
    /// <param name="data">The data folder.</param>
    /// <param name="flags">Settings.</param>
    /// <exception cref="CliException">The file is missing, cannot be read, or is not JSON.</exception>
    public static IConfiguration Read(string? file, string data, IEnumerable<KeyValuePair<string, string?>> flags)
    {
        var path = Path.GetFullPath(file ?? Path.Combine(data, FileName));
        try
        {
            return new ConfigurationBuilder()
                .AddInMemoryCollection([
                    ServerConfiguration.Setting(nameof(DtiServerOptions.ConceptFolder), Path.Combine(data, "concepts")),
                    ServerConfiguration.Setting(nameof(DtiServerOptions.JobFolder), Path.Combine(data, "jobs")),
                    ServerConfiguration.Setting(TokenFileKey, Path.Combine(data, "tokens.json")),
                    new("Logging:LogLevel:Default", "Warning"),
                    new("Logging:LogLevel:Dti", "Information"),
                ])
                .AddJsonFile(path, optional: file is null)
                .AddInMemoryCollection(ServerConfiguration.OfEnvironment(Environment.GetEnvironmentVariables()))
                .AddInMemoryCollection(flags)
                .Build();
        }
        catch (FileNotFoundException)
        {
            throw new CliException(
                ExitCode.Usage,
                Directory.Exists(path) ? Unreadable(path) : $"There is no settings file {path}."
            );
        }
        catch (InvalidDataException wrong)
        {
            throw new CliException(ExitCode.Usage, Describe(path, wrong));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Usage, Unreadable(path));
        }
    }

    private static string Describe(string path, InvalidDataException wrong)
    {
        var causes = new List<Exception>();
        for (Exception? cause = wrong; cause is not null; cause = cause.InnerException)
            causes.Add(cause);
        return causes switch
        {
            _ when causes.Any(cause => cause is IOException or UnauthorizedAccessException) => Unreadable(path),
            _ when causes.OfType<JsonException>().FirstOrDefault()
                    is { LineNumber: { } line, BytePositionInLine: { } column } =>
                $"The settings file {path} is not JSON: it has an error in line {line + 1} at character {column + 1}.",
            _ when causes[^1] is FormatException format && Key().Match(format.Message) is { Success: true } key =>
                $"The settings file {path} has the setting '{key.Groups[1].Value.Replace(':', '.')}' twice; keep one of them.",
            _ =>
                $"The settings file {path} must hold one JSON object, {{ \"{ServerConfiguration.Section}\": {{ … }} }}.",
        };
    }

    private static string Unreadable(string path) =>
        $"The settings file {path} cannot be read: "
        + $"{(Directory.Exists(path) ? "it is a folder; name the file in it" : "check who owns it and who may read it")}.";

    [GeneratedRegex("duplicate key '([^']*)'", RegexOptions.IgnoreCase)]
    private static partial Regex Key();
}
