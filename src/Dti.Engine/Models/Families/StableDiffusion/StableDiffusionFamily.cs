using Dti.Engine.Checkpoints;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>
/// Stable Diffusion 1.x, 2.x and XL: CLIP text encoders, a UNet, and an autoencoder with eight pixels to a latent.
/// </summary>
public sealed class StableDiffusionFamily : ModelFamily
{
    /// <inheritdoc/>
    public override IReadOnlyList<PipelineLayout> Pipelines =>
        [StableDiffusionPipelines.Plain, StableDiffusionPipelines.XL];

    /// <inheritdoc/>
    public override IReadOnlyList<SingleFileLayout> SingleFiles => OriginalFamily.All;

    /// <inheritdoc/>
    public override IReadOnlyList<EmbeddingLayout> Embeddings =>
        [.. OriginalFamily.All.Select(family => family.Embeddings)];

    /// <inheritdoc/>
    public override ModelProfile Describe(Checkpoint checkpoint) => new StableDiffusionProfile(checkpoint);
}
