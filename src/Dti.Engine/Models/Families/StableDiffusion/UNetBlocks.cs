using Dti.Engine.Runtime;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>One level on the way down: DownBlock2D and CrossAttnDownBlock2D of diffusers.</summary>
internal sealed class DownBlock
{
    private readonly ResnetBlock2D[] _resnets;
    private readonly Transformer2DModel[]? _attentions;
    private readonly Conv2d? _downsampler;

    public DownBlock(UNet2DConditionConfig config, WeightScope weights, int level, long inChannels, long temb)
    {
        long channels = config.BlockOutChannels[level];
        _resnets =
        [
            .. Enumerable
                .Range(0, config.LayersPerBlock)
                .Select(i => new ResnetBlock2D(
                    weights.Sub("resnets").Sub(i),
                    i == 0 ? inChannels : channels,
                    channels,
                    config.NormNumGroups,
                    config.NormEps,
                    temb
                )),
        ];
        _attentions = config.DownAttention[level]
            ?
            [
                .. Enumerable
                    .Range(0, config.LayersPerBlock)
                    .Select(i => config.Attention(weights.Sub("attentions").Sub(i), level)),
            ]
            : null;
        _downsampler =
            level < config.BlockOutChannels.Length - 1
                ? new Conv2d(weights.Sub("downsamplers.0.conv"), channels, channels, 3, stride: 2, padding: 1)
                : null;
    }

    public Tensor Forward(
        Tensor h,
        Tensor temb,
        Tensor encoderHiddenStates,
        Stack<Tensor> skips,
        ActivationCheckpoints? checkpoints,
        PromptKeys? keys
    )
    {
        using var section = StepProfile.In(StepPart.UNetDown);
        for (var i = 0; i < _resnets.Length; i++)
        {
            h = checkpoints.Run(_resnets[i].Forward, h, temb);
            h = _attentions?[i].Forward(h, encoderHiddenStates, checkpoints, keys) ?? h;
            skips.Push(h);
        }

        if (_downsampler is not null)
        {
            h = checkpoints.Run(_downsampler.Forward, h);
            skips.Push(h);
        }

        return h;
    }
}

/// <summary>The coarsest level: diffusers' UNetMidBlock2DCrossAttn.</summary>
internal sealed class MidBlock(UNet2DConditionConfig config, WeightScope weights, long temb)
{
    private readonly ResnetBlock2D _resnet0 = Resnet(config, weights, 0, temb);
    private readonly Transformer2DModel _attention = config.Attention(
        weights.Sub("attentions.0"),
        config.BlockOutChannels.Length - 1
    );
    private readonly ResnetBlock2D _resnet1 = Resnet(config, weights, 1, temb);

    public Tensor Forward(
        Tensor h,
        Tensor temb,
        Tensor encoderHiddenStates,
        ActivationCheckpoints? checkpoints,
        PromptKeys? keys
    )
    {
        using var section = StepProfile.In(StepPart.UNetMid);
        return checkpoints.Run(
            _resnet1.Forward,
            _attention.Forward(checkpoints.Run(_resnet0.Forward, h, temb), encoderHiddenStates, checkpoints, keys),
            temb
        );
    }

    private static ResnetBlock2D Resnet(UNet2DConditionConfig config, WeightScope weights, int index, long temb) =>
        new(
            weights.Sub("resnets").Sub(index),
            config.BlockOutChannels[^1],
            config.BlockOutChannels[^1],
            config.NormNumGroups,
            config.NormEps,
            temb
        );
}

/// <summary>One level on the way up: UpBlock2D and CrossAttnUpBlock2D of diffusers.</summary>
internal sealed class UpBlock
{
    private readonly ResnetBlock2D[] _resnets;
    private readonly Transformer2DModel[]? _attentions;
    private readonly Conv2d? _upsampler;

    /// <param name="config">The UNet's settings.</param>
    /// <param name="weights">The block's weights.</param>
    /// <param name="index">0 is the coarsest level.</param>
    /// <param name="temb">Width of the time embedding.</param>
    public UpBlock(UNet2DConditionConfig config, WeightScope weights, int index, long temb)
    {
        var level = config.BlockOutChannels.Length - 1 - index;
        long channels = config.BlockOutChannels[level];
        long below = config.BlockOutChannels[Math.Min(level + 1, config.BlockOutChannels.Length - 1)];
        long above = config.BlockOutChannels[Math.Max(level - 1, 0)];
        var layers = config.LayersPerBlock + 1;
        _resnets =
        [
            .. Enumerable
                .Range(0, layers)
                .Select(i => new ResnetBlock2D(
                    weights.Sub("resnets").Sub(i),
                    (i == 0 ? below : channels) + (i == layers - 1 ? above : channels), // what comes up, and the skip
                    channels,
                    config.NormNumGroups,
                    config.NormEps,
                    temb
                )),
        ];
        _attentions = config.UpAttention[index]
            ? [.. Enumerable.Range(0, layers).Select(i => config.Attention(weights.Sub("attentions").Sub(i), level))]
            : null;
        _upsampler = level > 0 ? new Conv2d(weights.Sub("upsamplers.0.conv"), channels, channels, 3, padding: 1) : null;
    }

    public Tensor Forward(
        Tensor h,
        Tensor temb,
        Tensor encoderHiddenStates,
        Stack<Tensor> skips,
        ActivationCheckpoints? checkpoints,
        PromptKeys? keys
    )
    {
        using var section = StepProfile.In(StepPart.UNetUp);
        for (var i = 0; i < _resnets.Length; i++)
        {
            using var scope = NewDisposeScope();
            var resnet = _resnets[i];
            h = checkpoints.Run(
                (below, skip, time) => resnet.Forward(cat([below, skip.expand(below.shape[0], -1, -1, -1)], 1), time),
                h,
                skips.Pop(),
                temb
            );
            h = (_attentions?[i].Forward(h, encoderHiddenStates, checkpoints, keys) ?? h).MoveToOuterDisposeScope();
        }

        if (_upsampler is not null)
        {
            // To the size of the next skip, which odd sizes make different from twice this one.
            var size = skips.Peek().shape[2..];
            h = checkpoints.Run(x => _upsampler.Forward(F.interpolate(x, size, mode: InterpolationMode.Nearest)), h);
        }

        return h;
    }
}

internal static class UNetBlockExtensions
{
    /// <summary>The transformer of one level.</summary>
    public static Transformer2DModel Attention(this UNet2DConditionConfig config, WeightScope weights, int level) =>
        new(
            weights,
            config.BlockOutChannels[level],
            config.NumAttentionHeads[level],
            config.TransformerLayersPerBlock[level],
            config.CrossAttentionDim,
            config.NormNumGroups,
            config.UseLinearProjection
        );
}
