using Dti.Engine.Checkpoints;

namespace Dti.Server.Libraries;

/// <summary>Where the libraries look, in order.</summary>
/// <param name="Models">Models, and folders with models below them.</param>
/// <param name="Vae">Folders with autoencoders below them.</param>
/// <param name="Embeddings">Folders from which ComfyUI takes embeddings.</param>
internal sealed record LibraryFolders(
    IReadOnlyList<string> Models,
    IReadOnlyList<string> Vae,
    IReadOnlyList<string> Embeddings
)
{
    private static readonly string[] _modelKinds = ["checkpoints", "diffusers"];

    /// <summary>
    /// ComfyUI's folder, or the <c>models</c> in it, stands for the folders that ComfyUI looks into, those of its
    /// <c>extra_model_paths.yaml</c> included; such a file for those that it names; any other path for itself.
    /// </summary>
    /// <exception cref="Dti.Engine.DtiException">An <c>extra_model_paths.yaml</c> cannot be read.</exception>
    public static LibraryFolders Of(IEnumerable<string> configured)
    {
        var all = configured.Select(Path.GetFullPath).SelectMany(Resolve).ToList();
        return new LibraryFolders(Holding(_modelKinds), Holding("vae"), Holding("embeddings"));

        IReadOnlyList<string> Holding(params string[] kinds) =>
            [
                .. all.Where(folder => kinds.Contains(folder.Kind))
                    .Select(folder => folder.Path)
                    .Distinct(StringComparer.Ordinal),
            ];
    }

    private static IEnumerable<ExtraFolder> Resolve(string path)
    {
        if (ExtraModelPaths.IsOne(path))
        {
            return ExtraModelPaths.Read(path);
        }

        if (Checkpoint.IsCheckpoint(path) || ComfyModels(path) is not { } models)
        {
            return [new ExtraFolder(_modelKinds[0], path, false)];
        }

        var list = Path.Combine(Path.GetDirectoryName(models) ?? models, ExtraModelPaths.FileName);
        var extra = ExtraModelPaths.IsOne(list) ? ExtraModelPaths.Read(list) : [];
        return
        [
            .. extra.Where(folder => folder.IsDefault),
            .. ((string[])[.. _modelKinds, "vae", "embeddings"]).Select(kind => new ExtraFolder(
                kind,
                Path.Combine(models, kind),
                false
            )),
            .. extra.Where(folder => !folder.IsDefault),
        ];
    }

    /// <summary>ComfyUI's folder of models, if a path is that or ComfyUI's own; else null.</summary>
    private static string? ComfyModels(string path) =>
        ((string[])[Path.TrimEndingDirectorySeparator(path), Path.Combine(path, "models")]).FirstOrDefault(folder =>
            _modelKinds.Any(kind => Directory.Exists(Path.Combine(folder, kind)))
        );
}
