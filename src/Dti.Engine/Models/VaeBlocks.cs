using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models;

/// <summary>The encoder half of an autoencoder: levels of resnets, each but the last halving the sides.</summary>
internal sealed class VaeEncoder
{
    private readonly Conv2d _convIn;
    private readonly List<(ResnetBlock2D[] Resnets, Conv2d? Downsampler)> _downBlocks = [];
    private readonly VaeMidBlock _midBlock;
    private readonly GroupNorm _convNormOut;
    private readonly Conv2d _convOut;

    public VaeEncoder(AutoencoderKLConfig config, WeightScope weights)
    {
        var channels = config.BlockOutChannels;
        _convIn = new Conv2d(weights.Sub("conv_in"), 3, channels[0], 3, padding: 1);
        for (var level = 0; level < channels.Length; level++)
        {
            var block = weights.Sub("down_blocks").Sub(level);
            var last = level == channels.Length - 1;
            _downBlocks.Add(
                (
                    VaeMidBlock.Resnets(
                        config,
                        block,
                        config.LayersPerBlock,
                        channels[Math.Max(0, level - 1)],
                        channels[level]
                    ),
                    last
                        ? null
                        : new Conv2d(block.Sub("downsamplers.0.conv"), channels[level], channels[level], 3, stride: 2)
                )
            );
        }

        _midBlock = new VaeMidBlock(config, weights.Sub("mid_block"));
        _convNormOut = new GroupNorm(weights.Sub("conv_norm_out"), config.NormNumGroups, channels[^1], 1e-6);
        _convOut = new Conv2d(weights.Sub("conv_out"), channels[^1], 2 * config.LatentChannels, 3, padding: 1);
    }

    public Tensor Forward(Tensor x)
    {
        var h = _convIn.Forward(x);
        foreach (var (resnets, downsampler) in _downBlocks)
        {
            h = resnets.Aggregate(h, (state, resnet) => resnet.Forward(state));
            h = downsampler?.Forward(F.pad(h, [0, 1, 0, 1])) ?? h; // padded on the right and below only
        }

        return _convOut.Forward(F.silu(_convNormOut.Forward(_midBlock.Forward(h))));
    }
}

/// <summary>The decoder: mirrors the encoder, with one more resnet per level.</summary>
internal sealed class VaeDecoder
{
    private readonly Conv2d _convIn;
    private readonly VaeMidBlock _midBlock;
    private readonly List<(ResnetBlock2D[] Resnets, Conv2d? Upsampler)> _upBlocks = [];
    private readonly GroupNorm _convNormOut;
    private readonly Conv2d _convOut;

    public VaeDecoder(AutoencoderKLConfig config, WeightScope weights)
    {
        int[] channels = [.. config.BlockOutChannels.Reverse()];
        _convIn = new Conv2d(weights.Sub("conv_in"), config.LatentChannels, channels[0], 3, padding: 1);
        _midBlock = new VaeMidBlock(config, weights.Sub("mid_block"));
        for (var level = 0; level < channels.Length; level++)
        {
            var block = weights.Sub("up_blocks").Sub(level);
            var last = level == channels.Length - 1;
            _upBlocks.Add(
                (
                    VaeMidBlock.Resnets(
                        config,
                        block,
                        config.LayersPerBlock + 1,
                        channels[Math.Max(0, level - 1)],
                        channels[level]
                    ),
                    last
                        ? null
                        : new Conv2d(block.Sub("upsamplers.0.conv"), channels[level], channels[level], 3, padding: 1)
                )
            );
        }

        _convNormOut = new GroupNorm(weights.Sub("conv_norm_out"), config.NormNumGroups, channels[^1], 1e-6);
        _convOut = new Conv2d(weights.Sub("conv_out"), channels[^1], 3, 3, padding: 1);
    }

    public Tensor Forward(Tensor z)
    {
        var h = _midBlock.Forward(_convIn.Forward(z));
        foreach (var (resnets, upsampler) in _upBlocks)
        {
            h = resnets.Aggregate(h, (state, resnet) => resnet.Forward(state));
            h = upsampler?.Forward(F.interpolate(h, scale_factor: [2, 2], mode: InterpolationMode.Nearest)) ?? h;
        }

        return _convOut.Forward(F.silu(_convNormOut.Forward(h)));
    }
}

/// <summary>Resnet, attention over all pixels with one head, resnet.</summary>
internal sealed class VaeMidBlock
{
    private readonly ResnetBlock2D[] _resnets;
    private readonly VaeAttention _attention;

    public VaeMidBlock(AutoencoderKLConfig config, WeightScope weights)
    {
        long channels = config.BlockOutChannels[^1];
        _resnets = Resnets(config, weights, 2, channels, channels);
        _attention = new VaeAttention(config, weights.Sub("attentions.0"));
    }

    public Tensor Forward(Tensor h) => _resnets[1].Forward(_attention.Forward(_resnets[0].Forward(h)));

    public static ResnetBlock2D[] Resnets(
        AutoencoderKLConfig config,
        WeightScope weights,
        int count,
        long inChannels,
        long outChannels
    ) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new ResnetBlock2D(
                    weights.Sub("resnets").Sub(i),
                    i == 0 ? inChannels : outChannels,
                    outChannels,
                    config.NormNumGroups,
                    1e-6
                )),
        ];
}

/// <summary>Self-attention over the pixels of a feature map.</summary>
internal sealed class VaeAttention
{
    private readonly GroupNorm _groupNorm;
    private readonly Linear _toQ;
    private readonly Linear _toK;
    private readonly Linear _toV;
    private readonly Linear _toOut;

    public VaeAttention(AutoencoderKLConfig config, WeightScope weights)
    {
        long channels = config.BlockOutChannels[^1];
        // Folders written before diffusers 0.15 (Stable Diffusion 1.5 among them) spell these names in the old way.
        string[] names = weights.Contains("query.weight")
            ? ["query", "key", "value", "proj_attn"]
            : ["to_q", "to_k", "to_v", "to_out.0"];
        _groupNorm = new GroupNorm(weights.Sub("group_norm"), config.NormNumGroups, channels, 1e-6);
        _toQ = new Linear(weights.Sub(names[0]), channels, channels);
        _toK = new Linear(weights.Sub(names[1]), channels, channels);
        _toV = new Linear(weights.Sub(names[2]), channels, channels);
        _toOut = new Linear(weights.Sub(names[3]), channels, channels);
    }

    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = _groupNorm.Forward(x).flatten(2).transpose(1, 2); // (B, HW, C)
        h = _toOut.Forward(MultiHead.Attend(_toQ.Forward(h), _toK.Forward(h), _toV.Forward(h), heads: 1));
        return (h.transpose(1, 2).reshape(x.shape).contiguous() + x).MoveToOuterDisposeScope();
    }
}
