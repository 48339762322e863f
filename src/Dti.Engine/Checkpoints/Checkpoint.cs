using System.Text.Json;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// A model on disk: its configs and tokenizer, and its weights under Dti's names, which are diffusers'.
/// </summary>
public abstract class Checkpoint
{
    private protected Checkpoint(string path) => Path = System.IO.Path.GetFullPath(path);

    /// <summary>The folder or the file.</summary>
    public string Path { get; }

    /// <summary>The folder's name, or the file's without its ending.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Whether a path looks like a model: a folder with a <c>model_index.json</c>, or a safetensors file.
    /// </summary>
    public static bool IsCheckpoint(string path) =>
        ModelFolder.IsModelFolder(path) || (SingleFileCheckpoint.HasExtension(path) && RegularFile.Is(path));

    /// <summary>Opens a model folder or a single file. Reads configs and headers only.</summary>
    /// <param name="path">The folder or the file.</param>
    /// <param name="pipelines">Kinds of folders that are known.</param>
    /// <param name="files">Kinds of single files that are known.</param>
    /// <exception cref="DtiException">It is neither, or of a kind that is not supported; the message names the
    /// kind.</exception>
    public static Checkpoint Open(
        string path,
        IReadOnlyList<PipelineLayout> pipelines,
        IReadOnlyList<SingleFileLayout> files
    ) => File.Exists(path) ? SingleFileCheckpoint.Open(path, files) : ModelFolder.Open(path, pipelines);

    /// <summary>Its kind: pipeline class and components.</summary>
    public abstract PipelineLayout Layout { get; }

    /// <summary>Its text encoders: <c>text_encoder</c>, …, in the order of their concept vectors.</summary>
    public IReadOnlyList<string> TextEncoders => Layout.TextEncoders;

    /// <summary>Everything that has weights: text encoders, denoiser, autoencoder.</summary>
    internal IReadOnlyList<string> Components =>
        [
            .. TextEncoders,
            Layout.Denoiser,
            .. Layout.Autoencoder is { } autoencoder ? [autoencoder] : Array.Empty<string>(),
        ];

    /// <summary>A value of <c>model_index.json</c>, as text; null: there is none.</summary>
    public virtual string? Setting(string key) => null;

    /// <summary>Whether it has a component that no pipeline requires.</summary>
    /// <param name="component">Its folder.</param>
    internal virtual bool Holds(string component) => false;

    /// <summary>The config of a component, a JSON object as diffusers writes it.</summary>
    /// <param name="component"><c>scheduler</c> or one of the layout's.</param>
    /// <exception cref="DtiException">It is missing or not JSON.</exception>
    public abstract JsonElement ReadConfig(string component);

    /// <summary>The tokenizer of a text encoder.</summary>
    /// <param name="textEncoder">One of <see cref="TextEncoders"/>.</param>
    /// <exception cref="DtiException">It is missing or not valid.</exception>
    public abstract ITokenizer LoadTokenizer(string textEncoder);

    /// <summary>Writes the files of a text encoder's tokenizer.</summary>
    /// <param name="textEncoder">One of <see cref="TextEncoders"/>.</param>
    /// <param name="folder">Where to; it is there.</param>
    /// <exception cref="DtiException">The disk is full, or the folder cannot be written.</exception>
    internal abstract void WriteTokenizer(string textEncoder, string folder);

    /// <summary>
    /// The folder of a text encoder's tokenizer in diffusers' layout: <c>tokenizer</c>, <c>tokenizer_2</c>.
    /// </summary>
    internal static string TokenizerOf(string textEncoder) =>
        textEncoder.Replace("text_encoder", "tokenizer", StringComparison.Ordinal);

    /// <summary>What the file with a component's weights is called in diffusers' layout.</summary>
    internal static string WeightsFileOf(ComponentRole role) =>
        role == ComponentRole.TextEncoder ? "model.safetensors" : "diffusion_pytorch_model.safetensors";

    /// <summary>The weights of a component.</summary>
    /// <param name="component">One of the layout's.</param>
    /// <param name="variant"><c>fp16</c>, …, of a folder; null: the plain weights.</param>
    /// <exception cref="DtiException">They are missing or not valid.</exception>
    public abstract ComponentWeights OpenWeights(string component, string? variant = null);
}
