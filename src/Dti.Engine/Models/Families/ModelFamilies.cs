using Dti.Engine.Checkpoints;
using Dti.Engine.Models.Families.Sana;
using Dti.Engine.Models.Families.StableDiffusion;

namespace Dti.Engine.Models.Families;

/// <summary>The model families that are known. Thread-safe.</summary>
/// <param name="families">The families; of two that know a layout, the first one takes it.</param>
public sealed class ModelFamilies(params IReadOnlyList<ModelFamily> families)
{
    /// <summary>Those that Dti comes with: a family is registered by a line here.</summary>
    public static ModelFamilies BuiltIn { get; } = new(new StableDiffusionFamily(), new SanaFamily());

    /// <summary>All of them.</summary>
    public IReadOnlyList<ModelFamily> All => families;

    /// <summary>Kinds of model folders that are known.</summary>
    public IReadOnlyList<PipelineLayout> Pipelines => [.. families.SelectMany(family => family.Pipelines)];

    /// <summary>Kinds of single files that are known.</summary>
    public IReadOnlyList<SingleFileLayout> SingleFiles => [.. families.SelectMany(family => family.SingleFiles)];

    /// <summary>What embedding files hold.</summary>
    public IReadOnlyList<EmbeddingLayout> Embeddings => [.. families.SelectMany(family => family.Embeddings)];

    /// <summary>Opens a model folder or a single file. Reads configs and headers only.</summary>
    /// <exception cref="DtiException">It is neither, or of a kind that is not supported; the message names the
    /// kind.</exception>
    public Checkpoint Open(string path) => Checkpoint.Open(path, Pipelines, SingleFiles);

    /// <summary>Opens a single file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="like">A model whose configs and tokenizers a file of unusual sizes takes; null: those of the
    /// published models.</param>
    /// <exception cref="DtiException">It is not a safetensors file, or of a kind that is not supported; the message
    /// names the kind.</exception>
    public SingleFileCheckpoint OpenFile(string path, Checkpoint? like = null) =>
        SingleFileCheckpoint.Open(path, SingleFiles, like);

    /// <summary>Reads configs, tokenizers and weight headers.</summary>
    /// <param name="path">A model folder in the diffusers layout, or a single file in the original one.</param>
    /// <exception cref="DtiException">It is neither, or not of a supported kind; the message names file and
    /// key.</exception>
    public ModelProfile Read(string path) => Describe(Open(path));

    /// <summary>As <see cref="Read"/>, of a checkpoint that is open.</summary>
    public ModelProfile Describe(Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        return families.First(family => family.Pipelines.Contains(checkpoint.Layout)).Describe(checkpoint);
    }

    /// <summary>The family whose models have embedding files of that name; null: none.</summary>
    /// <param name="family"><c>sd1</c>, <c>sana</c>, ….</param>
    public ModelFamily? Of(string family) =>
        families.FirstOrDefault(known => known.Embeddings.Any(layout => layout.Family == family));

    /// <summary>
    /// What embedding files hold for models whose published sizes are these; null: no family has them.
    /// </summary>
    /// <param name="widths">Width of the vectors for each text encoder.</param>
    public EmbeddingLayout? PublishedEmbeddings(IReadOnlyList<int> widths) =>
        Embeddings.FirstOrDefault(layout => layout.Keys.Select(key => key.Width).SequenceEqual(widths));
}
