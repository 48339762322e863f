using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models;

/// <summary>
/// Predicts the direction of a concept's embedding from the latents of a photo of it: levels of ResNet blocks, each
/// but the last halving the sides, then the mean over all positions, and a linear layer.
/// </summary>
internal sealed class PhotoEncoder
{
    private const double Eps = 1e-5;
    private readonly PhotoEncoderConfig _config;
    private readonly Conv2d _convIn;
    private readonly List<(ResnetBlock2D[] Resnets, Conv2d? Downsampler)> _downBlocks = [];
    private readonly GroupNorm _convNormOut;
    private readonly Linear _projOut;

    /// <param name="config">The settings.</param>
    /// <param name="weights">The weights.</param>
    public PhotoEncoder(PhotoEncoderConfig config, WeightScope weights)
    {
        _config = config;
        var (channels, groups) = (config.BlockOutChannels, config.NormNumGroups);
        _convIn = new Conv2d(weights.Sub("conv_in"), config.InChannels, channels[0], 3, padding: 1);
        for (var level = 0; level < channels.Length; level++)
        {
            var (block, width) = (weights.Sub("down_blocks").Sub(level), channels[level]);
            var before = channels[Math.Max(0, level - 1)];
            var isLast = level == channels.Length - 1;
            _downBlocks.Add(
                (
                    [
                        .. Enumerable
                            .Range(0, config.LayersPerBlock)
                            .Select(i => new ResnetBlock2D(
                                block.Sub("resnets").Sub(i),
                                i == 0 ? before : width,
                                width,
                                groups,
                                Eps
                            )),
                    ],
                    isLast ? null : new Conv2d(block.Sub("downsamplers.0.conv"), width, width, 3, stride: 2, padding: 1)
                )
            );
        }

        _convNormOut = new GroupNorm(weights.Sub("conv_norm_out"), groups, channels[^1], Eps);
        _projOut = new Linear(weights.Sub("proj_out"), channels[^1], config.EmbeddingDims.Sum());
    }

    /// <summary>Predicts the directions from each photo alone.</summary>
    /// <param name="latents">
    /// (B, C, h, w) of the weights' dtype: means of the photos' latents as the denoiser sees them, of any sides.
    /// </param>
    /// <returns>For each text encoder (B, d) fp32, rows of norm 1.</returns>
    public Tensor[] Forward(Tensor latents)
    {
        using var scope = NewDisposeScope();
        var h = _convIn.Forward(latents);
        foreach (var (resnets, downsampler) in _downBlocks)
        {
            h = resnets.Aggregate(h, (state, resnet) => resnet.Forward(state));
            h = downsampler?.Forward(h) ?? h;
        }

        var pooled = F.silu(_convNormOut.Forward(h)).mean([2, 3]);
        return
        [
            .. _projOut
                .Forward(pooled)
                .to(ScalarType.Float32)
                .split([.. _config.EmbeddingDims.Select(width => (long)width)], 1)
                .Select(part => F.normalize(part).MoveToOuterDisposeScope()),
        ];
    }

    /// <summary>The direction of a concept: the normalized mean of what its photos give.</summary>
    /// <param name="directions">(B, d), rows of norm 1.</param>
    /// <returns>(1, d) of norm 1.</returns>
    public static Tensor Mean(Tensor directions)
    {
        using var scope = NewDisposeScope();
        return F.normalize(directions.mean([0], keepdim: true)).MoveToOuterDisposeScope();
    }
}
