using Dti.Engine.Checkpoints;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>
/// SANA 1.0 and 1.5 (arXiv 2410.10629, 2501.18427): Gemma 2 as text encoder, a transformer with linear attention that
/// predicts a flow, and an autoencoder with 32 pixels to a latent.
/// </summary>
public sealed class SanaFamily : ModelFamily
{
    internal const string Name = "sana";

    /// <summary>What ComfyUI calls the embeddings of this text encoder.</summary>
    internal const string EmbeddingKey = "gemma2_2b";

    private const int PublishedWidth = 2304;

    /// <inheritdoc/>
    public override IReadOnlyList<PipelineLayout> Pipelines => [SanaPipelines.Plain];

    /// <inheritdoc/>
    public override IReadOnlyList<EmbeddingLayout> Embeddings =>
        [new(Name, [new EmbeddingKey(EmbeddingKey, PublishedWidth)])];

    /// <inheritdoc/>
    public override ModelProfile Describe(Checkpoint checkpoint) => new SanaProfile(checkpoint);
}
