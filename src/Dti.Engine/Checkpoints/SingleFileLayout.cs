using System.Text.Json;
using System.Text.Json.Nodes;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// A kind of single-file checkpoint: how it is recognised, where its tensors go, and what such a file does not hold
/// itself.
/// </summary>
public abstract class SingleFileLayout
{
    /// <summary>Its name: <c>sd1</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The folder that the same model would be.</summary>
    public abstract PipelineLayout Pipeline { get; }

    /// <summary>Whether a file is of this kind, by its tensors' names and shapes.</summary>
    /// <exception cref="DtiException">It nearly is, and is not supported; the message says what it is.</exception>
    public abstract bool Matches(SafetensorsFile file);

    /// <summary>
    /// The configs of a file's model, by component: those of the published models, and what the file says itself.
    /// </summary>
    public abstract JsonElement Configs(SafetensorsFile file);

    /// <summary>The tokenizer that goes with a text encoder.</summary>
    /// <param name="textEncoder">One of the pipeline's text encoders.</param>
    public abstract ITokenizer LoadTokenizer(string textEncoder);

    /// <summary>Writes that tokenizer into a folder, which is there.</summary>
    /// <exception cref="DtiException">The disk is full, or the folder cannot be written.</exception>
    public abstract void WriteTokenizer(string textEncoder, string folder);

    /// <summary>Prefix and key table of a component.</summary>
    /// <param name="component">One of the pipeline's components.</param>
    /// <param name="config">Its config.</param>
    internal abstract (string Prefix, IEnumerable<LayoutRow> Rows) Layout(string component, JsonElement config);

    /// <summary>A component's config as the folder has it, with the class that loads it.</summary>
    public abstract JsonObject FolderConfig(string component, JsonElement config);

    /// <summary>The folder's <c>model_index.json</c>.</summary>
    public abstract JsonObject FolderIndex(Checkpoint checkpoint);

    /// <summary>Free texts for the header of a file that is made of a folder.</summary>
    public abstract IReadOnlyDictionary<string, string> Metadata(Checkpoint checkpoint);

    /// <summary>
    /// The small tensors by which a file that is made of a folder says what the folder's configs say.
    /// </summary>
    /// <exception cref="DtiException">No marks say what they say.</exception>
    public virtual IReadOnlyList<CheckpointMark> Marks(Checkpoint checkpoint) => [];
}
