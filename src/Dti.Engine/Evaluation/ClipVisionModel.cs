using Dti.Engine.Models;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>The image tower of CLIP (arXiv 2103.00020; transformers' CLIPVisionModel).</summary>
internal sealed class ClipVisionModel
{
    private readonly Tensor _classEmbedding; // (d)
    private readonly Conv2d _patchEmbedding;
    private readonly Tensor _positionEmbedding; // (1 + patches, d)
    private readonly LayerNorm _preLayerNorm;
    private readonly ClipEncoderLayer[] _layers;
    private readonly LayerNorm _postLayerNorm;

    /// <param name="config">Its settings.</param>
    /// <param name="weights">The scope <c>vision_model</c>.</param>
    public ClipVisionModel(VisionConfig config, WeightScope weights)
    {
        var (width, eps) = (config.Transformer.HiddenSize, config.Transformer.LayerNormEps);
        var embeddings = weights.Sub("embeddings");
        _classEmbedding = embeddings.Take("class_embedding", width);
        _patchEmbedding = new Conv2d(
            embeddings.Sub("patch_embedding"),
            3,
            width,
            config.PatchSize,
            stride: config.PatchSize,
            bias: false
        );
        _positionEmbedding = embeddings.Sub("position_embedding").Take("weight", 1 + config.PatchCount, width);
        _preLayerNorm = new LayerNorm(weights.Sub("pre_layrnorm"), width, eps); // spelt so in every checkpoint
        _layers = ClipEncoderLayer.Stack(config.Transformer, weights.Sub("encoder").Sub("layers"));
        _postLayerNorm = new LayerNorm(weights.Sub("post_layernorm"), width, eps);
    }

    /// <summary>Encodes images.</summary>
    /// <param name="pixelValues">(B, 3, S, S)</param>
    /// <returns>(B, 1 + patches, d) of the last layer; and of its class token after the final norm, (B, d).</returns>
    public (Tensor LastHiddenState, Tensor PooledOutput) Forward(Tensor pixelValues)
    {
        using var scope = NewDisposeScope();
        var patches = _patchEmbedding.Forward(pixelValues).flatten(2).transpose(1, 2);
        var hidden = cat([_classEmbedding.expand(pixelValues.shape[0], 1, -1), patches], 1) + _positionEmbedding;
        hidden = _layers.Aggregate(_preLayerNorm.Forward(hidden), (x, layer) => layer.Forward(x));
        return (
            hidden.MoveToOuterDisposeScope(),
            _postLayerNorm.Forward(hidden.select(1, 0)).MoveToOuterDisposeScope()
        );
    }
}
