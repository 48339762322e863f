namespace Dti.Cli.Hosting;

/// <summary>
/// What the user said of a server in this process: where it keeps concepts and finds models, and what these trade for
/// memory.
/// </summary>
/// <param name="Data">Folder of the concept library.</param>
/// <param name="Models">Model folders, or folders of them, as the user named them.</param>
/// <param name="Memory">auto, low, balanced or high.</param>
internal sealed record DataFolders(string Data, IReadOnlyList<string> Models, string Memory)
{
    /// <summary>Options first, then environment variables, then the platform's user data folder.</summary>
    /// <exception cref="CliException">A model path does not exist (see <paramref name="modelsExist"/>).</exception>
    /// <param name="data">As <c>--data</c> says; null: not given.</param>
    /// <param name="models">As <c>--models</c> says.</param>
    /// <param name="memory">As <c>--memory</c> says; null: not given.</param>
    /// <param name="modelsExist">Refuse model paths that do not exist.</param>
    public static DataFolders Resolve(
        string? data,
        IReadOnlyList<string> models,
        string? memory,
        bool modelsExist = true
    ) =>
        new(
            Path.GetFullPath(data ?? Variable("DTI_HOME") ?? UserFolder()),
            [
                .. (
                    models.Count > 0
                        ? models
                        : Variable("DTI_MODELS")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? []
                ).Select(path => modelsExist ? Existing(path) : Path.GetFullPath(path)),
            ],
            memory ?? Variable("DTI_MEMORY") ?? "auto"
        );

    /// <summary>Folder of the concept library.</summary>
    public string Concepts => Path.Combine(Data, "concepts");

    /// <summary>A file of a concept in the library; null: there is none.</summary>
    public string? ConceptFile(string name, string ending) =>
        Path.Combine(Concepts, name + ending) is var path && File.Exists(path) ? path : null;

    // A model that was asked for and is not there must not be replaced by another in silence.
    /// <exception cref="CliException">There is no such file or folder.</exception>
    public static string Existing(string path, string where = "--models or DTI_MODELS") =>
        Path.Exists(path)
            ? Path.GetFullPath(path)
            : throw new CliException(
                ExitCode.NotFound,
                $"There is no model file or folder '{path}'. Correct the path in {where}, or leave it out to use the model that ships with Dti."
            );

    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string UserFolder() =>
        Path.Combine(
            Environment.GetFolderPath(
                Environment.SpecialFolder.LocalApplicationData,
                Environment.SpecialFolderOption.DoNotVerify
            ),
            "dti"
        );
}
