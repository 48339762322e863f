using System.Text.Json;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Checkpoints;

/// <summary>A model on disk: its configs and tokenizer, and its weights under Dti's names, which are diffusers'.</summary>
public abstract class Checkpoint
{
    private protected Checkpoint(string path) => Path = System.IO.Path.GetFullPath(path);

    /// <summary>The folder or the file.</summary>
    public string Path { get; }

    /// <summary>The folder's name, or the file's without its ending.</summary>
    public abstract string Name { get; }

    /// <summary>Whether a path looks like a model: a folder with a <c>model_index.json</c>, or a safetensors file.</summary>
    public static bool IsCheckpoint(string path) => ModelFolder.IsModelFolder(path) || (SingleFileCheckpoint.HasItsEnding(path) && File.Exists(path));

    /// <summary>Opens a model folder or a single file. Reads configs and headers only.</summary>
    /// <exception cref="DtiException">It is neither, or of a kind that is not supported; the message names the kind.</exception>
    public static Checkpoint Open(string path) => File.Exists(path) ? SingleFileCheckpoint.Open(path) : ModelFolder.Open(path);

    /// <summary>Its text encoders: <c>text_encoder</c>, and for SDXL <c>text_encoder_2</c>.</summary>
    public abstract IReadOnlyList<string> TextEncoders { get; }

    /// <summary>Everything that has weights: the text encoders, <c>unet</c>, <c>vae</c>.</summary>
    internal IReadOnlyList<string> Components => [.. TextEncoders, "unet", "vae"];

    /// <summary>Where no negative prompt is given, zeros stand for it instead of the empty text (SDXL).</summary>
    public virtual bool ForceZerosForEmptyPrompt => false;

    /// <summary>The config of a component, a JSON object as diffusers writes it.</summary>
    /// <param name="component"><c>unet</c>, <c>vae</c>, <c>scheduler</c> or one of <see cref="TextEncoders"/>.</param>
    /// <exception cref="DtiException">It is missing or not JSON.</exception>
    public abstract JsonElement ReadConfig(string component);

    /// <summary>The tokenizer of a text encoder.</summary>
    /// <param name="textEncoder">One of <see cref="TextEncoders"/>.</param>
    /// <exception cref="DtiException">It is missing or not valid.</exception>
    public abstract ClipTokenizer LoadTokenizer(string textEncoder);

    /// <summary>Writes the tokenizer of a text encoder: <c>vocab.json</c>, <c>merges.txt</c>, <c>tokenizer_config.json</c>.</summary>
    /// <param name="textEncoder">One of <see cref="TextEncoders"/>.</param>
    /// <param name="folder">Where to; it is there.</param>
    /// <exception cref="DtiException">The disk is full, or the folder cannot be written.</exception>
    internal abstract void WriteTokenizer(string textEncoder, string folder);

    /// <summary>The folder of a text encoder's tokenizer in diffusers' layout: <c>tokenizer</c>, <c>tokenizer_2</c>.</summary>
    internal static string TokenizerOf(string textEncoder) => textEncoder.Replace("text_encoder", "tokenizer", StringComparison.Ordinal);

    /// <summary>What the file with a component's weights is called in diffusers' layout.</summary>
    internal static string WeightsFileOf(string component) => component is "unet" or "vae" ? "diffusion_pytorch_model.safetensors" : "model.safetensors";

    /// <summary>The weights of a component.</summary>
    /// <param name="component"><c>unet</c>, <c>vae</c> or one of <see cref="TextEncoders"/>.</param>
    /// <param name="variant"><c>fp16</c>, …, of a folder; null: the plain weights.</param>
    /// <exception cref="DtiException">They are missing or not valid.</exception>
    public abstract ComponentWeights OpenWeights(string component, string? variant = null);
}
