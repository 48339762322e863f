using Dti.Engine.Runtime;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models.Families.Sana;

// What SANA's transformer and its autoencoder are both made of.

/// <summary>x/√(mean x² + ε)·w + b over the last axis, the norm in fp32 (diffusers' RMSNorm).</summary>
internal sealed class RmsNorm(WeightScope weights, long width, bool bias = false)
{
    private const double Eps = 1e-5;
    private readonly Tensor _weight = weights.Take("weight", width);
    private readonly Tensor? _bias = bias ? weights.Take("bias", width) : null;

    /// <param name="x">(…, width)</param>
    public Tensor Forward(Tensor x)
    {
        using var section = StepProfile.Of(StepWork.Norm);
        var wide = x.to(ScalarType.Float32);
        var normed = (wide * (wide.square().mean([-1L], keepdim: true) + Eps).rsqrt()).to(_weight.dtype) * _weight;
        return _bias is null ? normed : normed + _bias;
    }

    /// <summary>The same over the channels.</summary>
    /// <param name="x">(B, C, H, W)</param>
    public Tensor ForwardChannels(Tensor x) => Forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2);
}

/// <summary>A square convolution of odd width in groups, which keeps the image's size.</summary>
internal sealed class GroupedConv2d(
    WeightScope weights,
    long channels,
    long channelsPerGroup,
    long kernel,
    bool bias = false
)
{
    private readonly Tensor _weight = weights.Take("weight", channels, channelsPerGroup, kernel, kernel);
    private readonly Tensor? _bias = bias ? weights.Take("bias", channels) : null;

    /// <param name="x">(B, C, H, W)</param>
    public Tensor Forward(Tensor x)
    {
        using var section = StepProfile.Of(StepWork.Convolution);
        return F.conv2d(
            x,
            _weight,
            _bias,
            strides: [1, 1],
            padding: [kernel / 2, kernel / 2],
            groups: channels / channelsPerGroup
        );
    }
}

/// <summary>
/// A gated convolution of 3 × 3 between two of a pixel (diffusers' GLUMBConv): 1×1 to 2h channels, SiLU, depthwise 3×3,
/// a·SiLU(g) of its halves, 1×1.
/// </summary>
internal sealed class GluMbConv
{
    private readonly Conv2d _inverted;
    private readonly GroupedConv2d _depth;
    private readonly Conv2d _point;
    private readonly RmsNorm? _norm;

    /// <param name="weights">The weights.</param>
    /// <param name="channels">Channels that it takes and gives.</param>
    /// <param name="hidden">h.</param>
    /// <param name="norm">Whether the result is normalised over its channels.</param>
    public GluMbConv(WeightScope weights, long channels, long hidden, bool norm = false)
    {
        _inverted = new Conv2d(weights.Sub("conv_inverted"), channels, 2 * hidden, 1);
        _depth = new GroupedConv2d(weights.Sub("conv_depth"), 2 * hidden, 1, 3, bias: true);
        _point = new Conv2d(weights.Sub("conv_point"), hidden, channels, 1, bias: false);
        _norm = norm ? new RmsNorm(weights.Sub("norm"), channels, bias: true) : null;
    }

    /// <param name="x">(B, C, H, W)</param>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var halves = _depth.Forward(F.silu(_inverted.Forward(x))).chunk(2, 1);
        var result = _point.Forward(halves[0] * F.silu(halves[1]));
        return (_norm?.ForwardChannels(result) ?? result).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Attention whose scores are products of ReLUs (arXiv 2410.10629): Σⱼ vⱼ(kⱼ·q)/(Σⱼ kⱼ·q + 10⁻¹⁵), at a cost linear in
/// the number of tokens. In fp32.
/// </summary>
internal static class LinearAttention
{
    private const double Eps = 1e-15;

    /// <param name="q">(…, N, d)</param>
    /// <param name="k">(…, N, d)</param>
    /// <param name="v">(…, N, d)</param>
    /// <returns>(…, N, d) fp32</returns>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v)
    {
        using var scope = NewDisposeScope();
        using var section = StepProfile.Of(StepWork.Attention);
        q = F.relu(q).to(ScalarType.Float32);
        k = F.relu(k).to(ScalarType.Float32);
        var products = k.transpose(-2, -1).matmul(v.to(ScalarType.Float32)); // (…, d, d)
        var sums = q.matmul(k.sum(-2, keepdim: true).transpose(-2, -1)); // (…, N, 1)
        return (q.matmul(products) / (sums + Eps)).MoveToOuterDisposeScope();
    }
}
