using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Tests.Families.TinyDit;

/// <summary>
/// A sketch of a family unlike Stable Diffusion: one text encoder without positions, a transformer that predicts a
/// flow, latents without an autoencoder.
/// </summary>
internal sealed class TinyDitFamily : ModelFamily
{
    public const string Name = "tiny-dit";

    public const string EmbeddingKey = "tiny";

    public static PipelineLayout Pipeline { get; } =
        new(
            "TinyDitPipeline",
            ClipTokenizer.Load,
            new PipelineComponent("text_encoder", "TinyTextModel", ComponentRole.TextEncoder),
            new PipelineComponent("tokenizer", "CLIPTokenizer", ComponentRole.Tokenizer),
            new PipelineComponent("transformer", "TinyDitModel", ComponentRole.Denoiser)
        );

    public override IReadOnlyList<PipelineLayout> Pipelines => [Pipeline];

    public override IReadOnlyList<EmbeddingLayout> Embeddings => [new(Name, [new(EmbeddingKey, TinyTextModel.Width)])];

    public override ModelProfile Describe(Checkpoint checkpoint) => new TinyDitProfile(checkpoint);
}
