using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// A layer of CLIP's transformers (transformers' CLIPEncoderLayer, SiglipEncoderLayer): x + attention(norm(x)), then x
/// + mlp(norm(x)).
/// </summary>
internal sealed class ClipEncoderLayer(TransformerConfig config, WeightScope weights, bool causal)
{
    private readonly LayerNorm _layerNorm1 = new(weights.Sub("layer_norm1"), config.HiddenSize, config.LayerNormEps);
    private readonly Linear _q = Projection(config, weights, "q_proj");
    private readonly Linear _k = Projection(config, weights, "k_proj");
    private readonly Linear _v = Projection(config, weights, "v_proj");
    private readonly Linear _out = Projection(config, weights, "out_proj");
    private readonly LayerNorm _layerNorm2 = new(weights.Sub("layer_norm2"), config.HiddenSize, config.LayerNormEps);
    private readonly FeedForward _mlp = new(
        weights.Sub("mlp"),
        config.HiddenSize,
        config.IntermediateSize,
        config.Activation
    );

    /// <summary>All layers of a tower.</summary>
    /// <param name="config">Of each.</param>
    /// <param name="weights">Of the first is <c>0</c> in it.</param>
    /// <param name="causal">Each position sees only itself and those before.</param>
    public static ClipEncoderLayer[] Stack(TransformerConfig config, WeightScope weights, bool causal = false) =>
        [
            .. Enumerable
                .Range(0, config.NumHiddenLayers)
                .Select(i => new ClipEncoderLayer(config, weights.Sub(i), causal)),
        ];

    /// <param name="x">(B, L, d)</param>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = _layerNorm1.Forward(x);
        x =
            x
            + _out.Forward(
                MultiHead.Attend(_q.Forward(h), _k.Forward(h), _v.Forward(h), config.NumAttentionHeads, causal)
            );
        return (x + _mlp.Forward(_layerNorm2.Forward(x))).MoveToOuterDisposeScope();
    }

    private static Linear Projection(TransformerConfig config, WeightScope weights, string name) =>
        new(weights.Sub("self_attn").Sub(name), config.HiddenSize, config.HiddenSize);
}
