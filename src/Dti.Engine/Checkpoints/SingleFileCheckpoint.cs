using System.Text.Json;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// A checkpoint in one file, in the original layout, as ComfyUI and A1111 use it. Such a file has no configs: they are
/// those of its family's published models. EMA weights (<c>model_ema.*</c>) are passed over.
/// </summary>
public sealed class SingleFileCheckpoint : Checkpoint
{
    private const string Ending = ".safetensors";

    private readonly JsonElement _configs;

    private SingleFileCheckpoint(string path, IReadOnlyList<SingleFileLayout> layouts, Checkpoint? like)
        : base(path)
    {
        using var file = SafetensorsFile.Open(path);
        FileLayout = layouts.FirstOrDefault(layout => layout.Matches(file)) ?? throw UnsupportedFiles.Refused(file);
        _configs = like is null ? FileLayout.Configs(file) : ConfigsOf(like);
        Like = like;
    }

    /// <summary>Its kind: key tables and what the file does not hold itself.</summary>
    public SingleFileLayout FileLayout { get; }

    /// <inheritdoc/>
    public override PipelineLayout Layout => FileLayout.Pipeline;

    /// <inheritdoc/>
    public override string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    private Checkpoint? Like { get; }

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="layouts">Kinds of single files that are known.</param>
    /// <param name="like">A model whose configs and tokenizers a file of unusual sizes takes; null: those of the
    /// published models.</param>
    /// <exception cref="DtiException">It is not a safetensors file, or of a kind that is not supported; the message
    /// names the kind.</exception>
    public static SingleFileCheckpoint Open(
        string path,
        IReadOnlyList<SingleFileLayout> layouts,
        Checkpoint? like = null
    ) => new(path, layouts, like);

    internal static bool HasExtension(string path) => path.EndsWith(Ending, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override JsonElement ReadConfig(string component) => _configs.GetProperty(component);

    /// <inheritdoc/>
    public override ITokenizer LoadTokenizer(string textEncoder) =>
        Like?.LoadTokenizer(textEncoder) ?? FileLayout.LoadTokenizer(textEncoder);

    /// <inheritdoc/>
    internal override void WriteTokenizer(string textEncoder, string folder)
    {
        if (Like is null)
        {
            FileLayout.WriteTokenizer(textEncoder, folder);
        }
        else
        {
            Like.WriteTokenizer(textEncoder, folder);
        }
    }

    /// <inheritdoc/>
    public override ComponentWeights OpenWeights(string component, string? variant = null)
    {
        var file = SafetensorsFile.Open(Path);
        try
        {
            var (prefix, rows) = FileLayout.Layout(component, ReadConfig(component));
            var tensors = StoredTensor.Find(rows, prefix, file.Tensors.Values, out var unknown);
            return component != Layout.Denoiser || unknown.Count == 0
                ? ComponentWeights.Of(file, tensors)
                : throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"{Path}: {unknown.Count} tensors of its UNet are in no {FileLayout.Name} model: {string.Join(", ", unknown.Order(StringComparer.Ordinal).Take(5))}{(unknown.Count > 5 ? ", …" : "")}"
                );
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static JsonElement ConfigsOf(Checkpoint like) =>
        JsonSerializer.SerializeToElement(
            ((string[])[.. like.Components, "scheduler"]).ToDictionary(component => component, like.ReadConfig)
        );
}
