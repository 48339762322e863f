using Dti.Server.Configuration;
using Dti.Server.Hosting;
using Microsoft.Extensions.Configuration;

namespace Dti.Cli.Hosting;

/// <summary>What <c>dti serve</c> is told, the last word last: its file, the environment, its flags.</summary>
internal static class ServeConfiguration
{
    /// <summary>The file that is read where none is named, if it is there.</summary>
    public const string FileName = "appsettings.json";

    private const string TokenFileKey = $"{nameof(DtiServerOptions.Security)}:{nameof(SecurityOptions.TokenFile)}";

    /// <summary>The file of tokens that a server would be told.</summary>
    /// <inheritdoc cref="Read"/>
    public static string TokenFile(string? file, string data) => Path.GetFullPath(Read(file, data, [])[ServerConfiguration.Setting(TokenFileKey, null).Key]!);

    /// <summary>Reads it.</summary>
    /// <param name="file">The file; null: <see cref="FileName"/> in <paramref name="data"/>.</param>
    /// <param name="data">The data folder.</param>
    /// <param name="flags">Settings.</param>
    /// <exception cref="CliException">The file is not there, or no JSON.</exception>
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
                    new("Logging:LogLevel:Default", "Warning"), new("Logging:LogLevel:Dti", "Information"),
                ])
                .AddJsonFile(path, optional: file is null)
                .AddInMemoryCollection(ServerConfiguration.OfEnvironment(Environment.GetEnvironmentVariables()))
                .AddInMemoryCollection(flags)
                .Build();
        }
        catch (FileNotFoundException)
        {
            throw new CliException(ExitCode.Usage, $"There is no file {path}.");
        }
        catch (InvalidDataException wrong)
        {
            throw new CliException(ExitCode.Usage, $"{path} is no JSON: {wrong.InnerException?.InnerException?.Message ?? wrong.InnerException?.Message ?? wrong.Message}");
        }
    }
}
