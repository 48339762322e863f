using Dti.Engine.Models;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>
/// The text tower of SigLIP (arXiv 2303.15343; transformers' SiglipTextModel): nothing is masked, not even padding, and
/// the last position is the text's.
/// </summary>
internal sealed class SiglipTextModel
{
    private readonly Tensor _tokenEmbedding; // (V, d)
    private readonly Tensor _positionEmbedding; // (L, d)
    private readonly ClipEncoderLayer[] _layers;
    private readonly LayerNorm _finalLayerNorm;
    private readonly Linear _head;

    /// <param name="config">Its settings.</param>
    /// <param name="weights">The scope <c>text_model</c>.</param>
    public SiglipTextModel(SiglipTextConfig config, WeightScope weights)
    {
        var width = config.Transformer.HiddenSize;
        var embeddings = weights.Sub("embeddings");
        _tokenEmbedding = embeddings.Sub("token_embedding").Take("weight", config.VocabSize, width);
        _positionEmbedding = embeddings.Sub("position_embedding").Take("weight", config.MaxPositionEmbeddings, width);
        _layers = ClipEncoderLayer.Stack(config.Transformer, weights.Sub("encoder").Sub("layers"));
        _finalLayerNorm = new LayerNorm(weights.Sub("final_layer_norm"), width, config.Transformer.LayerNormEps);
        _head = new Linear(weights.Sub("head"), width, config.ProjectionSize);
    }

    /// <summary>Encodes prompts.</summary>
    /// <param name="inputIds">(B, L) int64</param>
    /// <returns>(B, L, d) after the final norm; and what the head makes of its last position, (B, p).</returns>
    public (Tensor LastHiddenState, Tensor PooledOutput) Forward(Tensor inputIds)
    {
        using var scope = NewDisposeScope();
        var tokens = _tokenEmbedding.index_select(0, inputIds.flatten()).view(inputIds.shape[0], inputIds.shape[1], -1);
        var hidden = tokens + _positionEmbedding;
        hidden = _finalLayerNorm.Forward(_layers.Aggregate(hidden, (x, layer) => layer.Forward(x)));
        return (hidden.MoveToOuterDisposeScope(), _head.Forward(hidden.select(1, -1)).MoveToOuterDisposeScope());
    }
}
