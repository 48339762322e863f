namespace Dti.Cli.Hosting;

/// <summary>What the user said of a server in this process: where it keeps concepts and finds models, and what these trade for memory.</summary>
/// <param name="Data">Folder of the concept library.</param>
/// <param name="Models">Model folders, or folders of them, as the user named them.</param>
/// <param name="Memory">auto, low, balanced or high.</param>
internal sealed record DataFolders(string Data, IReadOnlyList<string> Models, string Memory)
{
    /// <summary>Options first, then environment variables, then the platform's user data folder.</summary>
    public static DataFolders Resolve(string? data, IReadOnlyList<string> models, string? memory) => new(
        Path.GetFullPath(data ?? Variable("DTI_HOME") ?? UserFolder()),
        [.. (models.Count > 0 ? models : Variable("DTI_MODELS")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [])
            .Select(Path.GetFullPath)],
        memory ?? Variable("DTI_MEMORY") ?? "auto");

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string UserFolder() => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "dti");
}
