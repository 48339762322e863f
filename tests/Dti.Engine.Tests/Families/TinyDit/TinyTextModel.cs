using Dti.Engine.Models;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Families.TinyDit;

/// <summary>A causal text encoder of one layer, which learns positions from nothing but the causal mask.</summary>
internal sealed class TinyTextModel(int vocabulary, WeightScope weights) : ITextEncoder
{
    public const int Width = 24;

    private readonly ClipEncoderLayer[] _layers = ClipEncoderLayer.Stack(
        new TransformerConfig(Width, 2 * Width, NumHiddenLayers: 1, NumAttentionHeads: 2, Activation.Gelu, 1e-5),
        weights.Sub("layers"),
        causal: true
    );

    private readonly LayerNorm _norm = new(weights.Sub("norm"), Width);

    public Tensor TokenEmbedding { get; } = weights.Sub("token_embedding").Take("weight", vocabulary, Width);

    public Tensor LastHiddenState(Tensor inputIds, Tensor? conceptRows = null)
    {
        using var scope = NewDisposeScope();
        var all = conceptRows is null ? TokenEmbedding : cat([TokenEmbedding, conceptRows.to(TokenEmbedding.dtype)]);
        var hidden = all.index_select(0, inputIds.flatten()).view(inputIds.shape[0], inputIds.shape[1], Width);
        return _norm
            .Forward(_layers.Aggregate(hidden, (states, layer) => layer.Forward(states)))
            .MoveToOuterDisposeScope();
    }
}
