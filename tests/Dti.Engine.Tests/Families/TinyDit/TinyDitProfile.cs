using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;

namespace Dti.Engine.Tests.Families.TinyDit;

/// <summary>What is known of a tiny DiT without its weights.</summary>
internal sealed class TinyDitProfile(Checkpoint checkpoint)
    : ModelProfile(
        checkpoint,
        [
            new TextEncoderProfile(
                checkpoint,
                "text_encoder",
                new TokenEmbeddings(VocabularyOf(checkpoint), TinyTextModel.Width, "token_embedding.weight"),
                TinyDitFamily.EmbeddingKey
            ),
        ],
        FlowMatchingConfig.Parse(checkpoint.ReadConfig("scheduler"))
    ),
        IFootprint
{
    public override string Family => TinyDitFamily.Name;

    public override int Resolution => 64;

    public override LatentShape Latents { get; } = new(TinyTransformer.Channels, TinyTransformer.Factor);

    public override int MaxClipSkip => 1;

    public override IFootprint Footprint => this;

    public override IDiffusionModel Load(ComputeTarget target, MemoryPolicy? memory = null) =>
        new TinyDitModel(this, target, memory ?? MemoryPolicy.High);

    public double TrainingStep(int batch, int side, ComputeTarget target, MemoryPolicy policy) =>
        32.0 * batch * Tokens(side, side) * TinyTransformer.Width * target.ElementSize;

    public double Denoising(int batch, int width, int height, ComputeTarget target) =>
        8.0 * batch * Tokens(width, height) * TinyTransformer.Width * target.ElementSize;

    public double Encoding(double pixels, ComputeTarget target) => 3 * pixels * sizeof(float);

    public double Decoding(double pixels, ComputeTarget target) => 3 * pixels * sizeof(float);

    public long BackwardWeights(ComputeTarget target, MemoryPolicy policy) => TransposedBytes(target);

    private static int Tokens(int width, int height) =>
        width * height / (TinyTransformer.Factor * TinyTransformer.Factor);

    private static int VocabularyOf(Checkpoint checkpoint) =>
        checkpoint.ReadConfig("text_encoder").GetProperty("vocab_size").GetInt32();
}
