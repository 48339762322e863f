namespace Dti.Cli.Hosting;

/// <summary>Where a server in this process keeps concepts and finds models.</summary>
/// <param name="Data">Folder of the concept library.</param>
/// <param name="Models">Model folders, or folders of them, as the user named them.</param>
internal sealed record DataFolders(string Data, IReadOnlyList<string> Models)
{
    /// <summary>Options first, then environment variables, then the platform's user data folder.</summary>
    public static DataFolders Resolve(string? data, IReadOnlyList<string> models) => new(
        Path.GetFullPath(data ?? Variable("DTI_HOME") ?? UserFolder()),
        [.. (models.Count > 0 ? models : Variable("DTI_MODELS")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [])
            .Select(Path.GetFullPath)]);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string UserFolder() => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "dti");
}
