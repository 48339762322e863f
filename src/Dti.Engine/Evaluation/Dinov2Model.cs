using Dti.Engine.Models;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Evaluation;

/// <summary>DINOv2 (arXiv 2304.07193; transformers' Dinov2Model) without registers, for images of any size.</summary>
internal sealed class Dinov2Model
{
    private readonly VisionConfig _config;
    private readonly Tensor _clsToken; // (1, 1, d)
    private readonly Tensor _positionEmbeddings; // (1, 1 + patches, d)
    private readonly Conv2d _projection;
    private readonly Dinov2Layer[] _layers;
    private readonly LayerNorm _layerNorm;

    public Dinov2Model(VisionConfig config, WeightScope weights)
    {
        _config = config;
        var width = config.Transformer.HiddenSize;
        var embeddings = weights.Sub("embeddings");
        _clsToken = embeddings.Take("cls_token", 1, 1, width);
        _positionEmbeddings = embeddings.Take("position_embeddings", 1, 1 + config.PatchCount, width);
        _projection = new Conv2d(
            embeddings.Sub("patch_embeddings").Sub("projection"),
            3,
            width,
            config.PatchSize,
            stride: config.PatchSize
        );
        if (embeddings.Contains("mask_token"))
        {
            embeddings.Take("mask_token", 1, width); // of training only
        }

        var layers = weights.Sub("encoder").Sub("layer");
        _layers =
        [
            .. Enumerable
                .Range(0, config.Transformer.NumHiddenLayers)
                .Select(i => new Dinov2Layer(config.Transformer, layers.Sub(i))),
        ];
        _layerNorm = new LayerNorm(weights.Sub("layernorm"), width, config.Transformer.LayerNormEps);
    }

    /// <summary>Encodes images.</summary>
    /// <param name="pixelValues">(B, 3, H, W)</param>
    /// <returns>(B, 1 + patches, d) after the final norm, the class token first.</returns>
    public Tensor Forward(Tensor pixelValues)
    {
        using var scope = NewDisposeScope();
        var patches = _projection.Forward(pixelValues); // (B, d, h, w)
        var positions = PositionEmbeddings(patches.shape[2], patches.shape[3]);
        var hidden =
            cat([_clsToken.expand(patches.shape[0], -1, -1), patches.flatten(2).transpose(1, 2)], 1) + positions;
        return _layerNorm.Forward(_layers.Aggregate(hidden, (x, layer) => layer.Forward(x))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The position table for a grid of patches: bicubic between those of the grid that it was learnt on, in fp32.
    /// </summary>
    /// <returns>(1, 1 + height·width, d), the class token first.</returns>
    public Tensor PositionEmbeddings(long height, long width)
    {
        var side = _config.ImageSize / _config.PatchSize;
        if (height == side && width == side)
        {
            return _positionEmbeddings.alias();
        }

        using var scope = NewDisposeScope();
        var table = _positionEmbeddings
            .narrow(1, 1, _config.PatchCount)
            .to(ScalarType.Float32)
            .transpose(1, 2)
            .unflatten(2, side, side); // (1, d, side, side)
        var patches = F.interpolate(table, [height, width], mode: InterpolationMode.Bicubic, align_corners: false)
            .flatten(2)
            .transpose(1, 2);
        return cat([_positionEmbeddings.narrow(1, 0, 1), patches.to(_positionEmbeddings.dtype)], 1)
            .MoveToOuterDisposeScope();
    }

    /// <summary>x + λ₁·attention(norm(x)), then x + λ₂·mlp(norm(x)).</summary>
    private sealed class Dinov2Layer(TransformerConfig config, WeightScope weights)
    {
        private readonly LayerNorm _norm1 = new(weights.Sub("norm1"), config.HiddenSize, config.LayerNormEps);
        private readonly Linear _query = Projection(config, weights, "attention", "query");
        private readonly Linear _key = Projection(config, weights, "attention", "key");
        private readonly Linear _value = Projection(config, weights, "attention", "value");
        private readonly Linear _dense = Projection(config, weights, "output", "dense");
        private readonly Tensor _layerScale1 = weights.Sub("layer_scale1").Take("lambda1", config.HiddenSize);
        private readonly LayerNorm _norm2 = new(weights.Sub("norm2"), config.HiddenSize, config.LayerNormEps);
        private readonly FeedForward _mlp = new(
            weights.Sub("mlp"),
            config.HiddenSize,
            config.IntermediateSize,
            config.Activation
        );
        private readonly Tensor _layerScale2 = weights.Sub("layer_scale2").Take("lambda1", config.HiddenSize);

        /// <param name="x">(B, L, d)</param>
        public Tensor Forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var h = _norm1.Forward(x);
            x =
                x
                + (
                    _layerScale1
                    * _dense.Forward(
                        MultiHead.Attend(
                            _query.Forward(h),
                            _key.Forward(h),
                            _value.Forward(h),
                            config.NumAttentionHeads
                        )
                    )
                );
            return (x + (_layerScale2 * _mlp.Forward(_norm2.Forward(x)))).MoveToOuterDisposeScope();
        }

        private static Linear Projection(TransformerConfig config, WeightScope weights, string part, string name) =>
            new(weights.Sub("attention").Sub(part).Sub(name), config.HiddenSize, config.HiddenSize);
    }
}
