using Dti.Engine.Models;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>
/// The image tower of SigLIP (arXiv 2303.15343; transformers' SiglipVisionModel): no class token, a learnt query reads
/// the patches.
/// </summary>
internal sealed class SiglipVisionModel
{
    private readonly Conv2d _patchEmbedding;
    private readonly Tensor _positionEmbedding; // (patches, d)
    private readonly ClipEncoderLayer[] _layers;
    private readonly LayerNorm _postLayerNorm;
    private readonly AttentionPoolingHead _head;

    /// <param name="config">Its settings.</param>
    /// <param name="weights">The scope <c>vision_model</c>.</param>
    public SiglipVisionModel(VisionConfig config, WeightScope weights)
    {
        var width = config.Transformer.HiddenSize;
        var embeddings = weights.Sub("embeddings");
        _patchEmbedding = new Conv2d(
            embeddings.Sub("patch_embedding"),
            3,
            width,
            config.PatchSize,
            stride: config.PatchSize
        );
        _positionEmbedding = embeddings.Sub("position_embedding").Take("weight", config.PatchCount, width);
        _layers = ClipEncoderLayer.Stack(config.Transformer, weights.Sub("encoder").Sub("layers"));
        _postLayerNorm = new LayerNorm(weights.Sub("post_layernorm"), width, config.Transformer.LayerNormEps);
        _head = new AttentionPoolingHead(config.Transformer, weights.Sub("head"));
    }

    /// <summary>Encodes images.</summary>
    /// <param name="pixelValues">(B, 3, S, S)</param>
    /// <returns>(B, patches, d) after the final norm; and what the head reads from it, (B, d).</returns>
    public (Tensor LastHiddenState, Tensor PooledOutput) Forward(Tensor pixelValues)
    {
        using var scope = NewDisposeScope();
        var hidden = _patchEmbedding.Forward(pixelValues).flatten(2).transpose(1, 2) + _positionEmbedding;
        hidden = _postLayerNorm.Forward(_layers.Aggregate(hidden, (x, layer) => layer.Forward(x)));
        return (hidden.MoveToOuterDisposeScope(), _head.Forward(hidden).MoveToOuterDisposeScope());
    }

    /// <summary>
    /// One query over all patches, then x + mlp(norm(x)) (transformers' SiglipMultiheadAttentionPoolingHead).
    /// </summary>
    private sealed class AttentionPoolingHead(TransformerConfig config, WeightScope weights)
    {
        private readonly Tensor _probe = weights.Take("probe", 1, 1, config.HiddenSize);

        // torch's MultiheadAttention keeps q, k and v in one matrix.
        private readonly Tensor _inProjWeight = weights
            .Sub("attention")
            .Take("in_proj_weight", 3 * config.HiddenSize, config.HiddenSize);
        private readonly Tensor _inProjBias = weights.Sub("attention").Take("in_proj_bias", 3 * config.HiddenSize);
        private readonly Linear _out = new(
            weights.Sub("attention").Sub("out_proj"),
            config.HiddenSize,
            config.HiddenSize
        );
        private readonly LayerNorm _layerNorm = new(weights.Sub("layernorm"), config.HiddenSize, config.LayerNormEps);
        private readonly FeedForward _mlp = new(
            weights.Sub("mlp"),
            config.HiddenSize,
            config.IntermediateSize,
            config.Activation
        );

        /// <param name="hidden">(B, L, d)</param>
        /// <returns>(B, d)</returns>
        public Tensor Forward(Tensor hidden)
        {
            using var scope = NewDisposeScope();
            var (weight, bias) = (_inProjWeight.chunk(3), _inProjBias.chunk(3));
            var q = nn.functional.linear(_probe.expand(hidden.shape[0], -1, -1), weight[0], bias[0]); // (B, 1, d)
            var k = nn.functional.linear(hidden, weight[1], bias[1]);
            var v = nn.functional.linear(hidden, weight[2], bias[2]);
            var pooled = _out.Forward(MultiHead.Attend(q, k, v, config.NumAttentionHeads));
            return (pooled + _mlp.Forward(_layerNorm.Forward(pooled))).select(1, 0).MoveToOuterDisposeScope();
        }
    }
}
