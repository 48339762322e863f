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

    /// <summary>Name of the first model that the user named: what they mean where they name none. Null if they named no folder with models.</summary>
    public string? FirstModel() => Models.SelectMany(FoldersBelow).Select(folder => Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))).FirstOrDefault();

    private static IEnumerable<string> FoldersBelow(string folder) =>
        IsModel(folder) ? [folder]
        : Directory.Exists(folder) ? Directory.EnumerateDirectories(folder).Where(IsModel).Order(StringComparer.Ordinal)
        : [];

    private static bool IsModel(string folder) => File.Exists(Path.Combine(folder, "model_index.json"));

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string UserFolder() => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "dti");
}
