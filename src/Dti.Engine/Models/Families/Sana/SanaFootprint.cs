using Dti.Engine.Runtime.Devices;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>The working memory of SANA in addition to its weights, from the tensors that its blocks make.</summary>
/// <param name="profile">The model.</param>
internal sealed class SanaFootprint(SanaProfile profile) : IFootprint
{
    private const int CaptionTokens = 64; // of a long caption; rows are as long as the longest of a batch
    private const int PromptTokens = 2 * GemmaTokenizer.Length; // of a prompt, with the instruction
    private const double TextLayer = 18; // tensors of the states' size that a layer's graph holds
    private const double GatedTensors = 6; // of the gated layer's size
    private const double LinearTensors = 14; // of a block's width, fp32 heads of linear attention among them
    private const double ConvolutionTensors = 9; // of the width of a block's convolutions
    private const double Recomputed = 2; // of a checkpointed block: its graph, and the gradients on their way
    private const double DcTensors = 6; // of a block of the autoencoder, of its widest features

    /// <inheritdoc/>
    public double TrainingStep(int batch, int side, ComputeTarget target, MemoryPolicy policy)
    {
        var (text, block) = (TextLayers(batch * CaptionTokens), Block(batch, side, side));
        var (textLayers, blocks) = (profile.TextConfig.NumHiddenLayers, profile.TransformerConfig.NumLayers);
        var inputs =
            (textLayers * TextWidth(batch * CaptionTokens))
            + (blocks * profile.TransformerConfig.Width * Tokens(batch, side, side));
        var elements = policy.CheckpointActivations
            ? inputs + (Recomputed * Math.Max(text, block))
            : (textLayers * text) + (blocks * block);
        return elements * target.ElementSize;
    }

    /// <inheritdoc/>
    public double Denoising(int batch, int width, int height, ComputeTarget target) =>
        (Block(batch, width, height) + TextLayers(PromptTokens) + Keys(batch)) * target.ElementSize;

    /// <inheritdoc/>
    public double Encoding(double pixels, ComputeTarget target) =>
        Level(profile.VaeConfig.Encoder, pixels) * target.ElementSize;

    /// <inheritdoc/>
    public double Decoding(double pixels, ComputeTarget target) =>
        Level(profile.VaeConfig.Decoder, pixels) * target.ElementSize;

    /// <summary>All packed weights transposed, or three copies of the largest: Gemma's gated layer.</summary>
    public long BackwardWeights(ComputeTarget target, MemoryPolicy policy)
    {
        var all = profile.TransposedBytes(target);
        var largest = (long)profile.TextConfig.HiddenSize * profile.TextConfig.IntermediateSize;
        return policy.KeepTransposed ? all : Math.Min(all, 3 * largest * target.ElementSize);
    }

    private double TextWidth(double tokens) => tokens * profile.TextConfig.HiddenSize;

    /// <summary>What a layer of the text encoder makes.</summary>
    private double TextLayers(double tokens) =>
        (TextLayer * TextWidth(tokens)) + (GatedTensors * tokens * profile.TextConfig.IntermediateSize);

    /// <summary>What a block of the transformer makes.</summary>
    private double Block(int batch, int width, int height)
    {
        var config = profile.TransformerConfig;
        return Tokens(batch, width, height) * ((LinearTensors * config.Width) + (ConvolutionTensors * config.MlpWidth));
    }

    /// <summary>Keys and values of prompts, kept from step to step.</summary>
    private double Keys(int batch) =>
        2.0 * batch * profile.TransformerConfig.NumLayers * GemmaTokenizer.Length * profile.TransformerConfig.Width;

    private double Tokens(int batch, int width, int height) =>
        (double)batch * width * height / (profile.VaeConfig.ScaleFactor * profile.VaeConfig.ScaleFactor);

    /// <summary>What the level makes whose features are the most.</summary>
    private static double Level(IReadOnlyList<DcLevel> levels, double pixels) =>
        levels
            .Select(
                (level, index) => DcTensors * level.Channels * (level.Attends ? 4 : 1) * pixels / Math.Pow(4, index)
            )
            .Max();
}
