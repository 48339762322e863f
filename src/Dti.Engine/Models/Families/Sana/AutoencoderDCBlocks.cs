using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>A layer of a deep-compression autoencoder: an image of features to another one.</summary>
internal interface IDcLayer
{
    /// <param name="x">(B, C, H, W)</param>
    Tensor Forward(Tensor x);
}

/// <summary>Two convolutions, normalised, and their input.</summary>
internal sealed class DcResBlock(WeightScope weights, long channels) : IDcLayer
{
    private readonly Conv2d _first = new(weights.Sub("conv1"), channels, channels, 3, padding: 1);
    private readonly Conv2d _second = new(weights.Sub("conv2"), channels, channels, 3, padding: 1, bias: false);
    private readonly RmsNorm _norm = new(weights.Sub("norm"), channels, bias: true);

    /// <inheritdoc/>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return (x + _norm.ForwardChannels(_second.Forward(F.silu(_first.Forward(x))))).MoveToOuterDisposeScope();
    }
}

/// <summary>Half the sides: a convolution, and means of the pixels moved into channels.</summary>
internal sealed class DcDown(WeightScope weights, long inChannels, long outChannels) : IDcLayer
{
    private readonly Conv2d _conv = new(weights.Sub("conv"), inChannels, outChannels, 3, stride: 2, padding: 1);

    /// <inheritdoc/>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var pixels = F.pixel_unshuffle(x, 2).unflatten(1, outChannels, -1).mean([2L]);
        return (_conv.Forward(x) + pixels).MoveToOuterDisposeScope();
    }
}

/// <summary>Twice the sides: a convolution of the enlarged image, and repeated channels moved into pixels.</summary>
internal sealed class DcUp(WeightScope weights, long inChannels, long outChannels) : IDcLayer
{
    private readonly Conv2d _conv = new(weights.Sub("conv"), inChannels, outChannels, 3, padding: 1);

    /// <inheritdoc/>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var pixels = F.pixel_shuffle(x.repeat_interleave(4 * outChannels / inChannels, 1), 2);
        var enlarged = F.interpolate(x, [2 * x.shape[2], 2 * x.shape[3]], mode: InterpolationMode.Nearest);
        return (_conv.Forward(enlarged) + pixels).MoveToOuterDisposeScope();
    }
}

/// <summary>Linear attention at several scales, then gated convolutions (arXiv 2205.14756).</summary>
internal sealed class EfficientVitBlock : IDcLayer
{
    private const int Expansion = 4;
    private readonly DcAttention _attention;
    private readonly GluMbConv _convolutions;

    public EfficientVitBlock(WeightScope weights, long channels, int headDim, IReadOnlyList<int> scales)
    {
        _attention = new DcAttention(weights.Sub("attn"), channels, headDim, scales);
        _convolutions = new GluMbConv(weights.Sub("conv_out"), channels, Expansion * channels, norm: true);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = x + _attention.Forward(x);
        return (x + _convolutions.Forward(x)).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Linear attention over the pixels of a feature map at several scales (diffusers' SanaMultiscaleLinearAttention). The
/// channels of the three projections and of their copies at further scales stand one after the other, and each three
/// heads' widths of them are query, key and value of one head.
/// </summary>
internal sealed class DcAttention
{
    private static readonly string[] _names = ["to_q", "to_k", "to_v"];
    private readonly int _headDim;
    private readonly Linear[] _projections;
    private readonly (GroupedConv2d In, GroupedConv2d Out)[] _scales;
    private readonly Linear _out;
    private readonly RmsNorm _norm;

    public DcAttention(WeightScope weights, long channels, int headDim, IReadOnlyList<int> scales)
    {
        _headDim = headDim;
        var inner = channels / headDim * headDim;
        _projections = [.. _names.Select(name => new Linear(weights.Sub(name), channels, inner, bias: false))];
        var copies = weights.Sub("to_qkv_multiscale");
        _scales =
        [
            .. scales.Select(
                (kernel, i) =>
                    (
                        new GroupedConv2d(copies.Sub(i).Sub("proj_in"), 3 * inner, 1, kernel),
                        new GroupedConv2d(copies.Sub(i).Sub("proj_out"), 3 * inner, headDim, 1)
                    )
            ),
        ];
        _out = new Linear(weights.Sub("to_out"), inner * (1 + scales.Count), channels, bias: false);
        _norm = new RmsNorm(weights.Sub("norm_out"), channels, bias: true);
    }

    /// <param name="x">(B, C, H, W)</param>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (height, width) = (x.shape[2], x.shape[3]);
        var pixels = x.permute(0, 2, 3, 1);
        var all = cat([.. _projections.Select(projection => projection.Forward(pixels))], -1).permute(0, 3, 1, 2);
        var scales = cat([all, .. _scales.Select(scale => scale.Out.Forward(scale.In.Forward(all)))], 1);
        var heads = scales.reshape(x.shape[0], -1, 3 * _headDim, height * width).transpose(2, 3).chunk(3, -1);
        var attended = LinearAttention
            .Attend(heads[0], heads[1], heads[2]) // (B, heads, H·W, width)
            .to(x.dtype)
            .transpose(1, 2)
            .reshape(x.shape[0], height, width, -1);
        return _norm.Forward(_out.Forward(attended)).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }
}
