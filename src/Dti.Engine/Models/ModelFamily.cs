using Dti.Engine.Checkpoints;

namespace Dti.Engine.Models;

/// <summary>
/// A model family: how its checkpoints are recognised, what is known of one without its weights, and how one is loaded.
/// </summary>
public abstract class ModelFamily
{
    /// <summary>Its model folders.</summary>
    public abstract IReadOnlyList<PipelineLayout> Pipelines { get; }

    /// <summary>Its single files; none: it has folders only.</summary>
    public virtual IReadOnlyList<SingleFileLayout> SingleFiles => [];

    /// <summary>Its embedding files, one for each kind of model with vectors of its own widths.</summary>
    public abstract IReadOnlyList<EmbeddingLayout> Embeddings { get; }

    /// <summary>What a checkpoint is: configs, tokenizers and weight headers are read, no weights.</summary>
    /// <param name="checkpoint">Of one of this family's layouts.</param>
    /// <exception cref="DtiException">A value is not supported, or components do not go together; the message names
    /// file and key.</exception>
    public abstract ModelProfile Describe(Checkpoint checkpoint);
}
