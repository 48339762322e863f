using Dti.Engine.Checkpoints;
using Dti.Engine.Runtime;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models;

// The few layers that every model is made of. Each takes its weights by the names that checkpoints use; whoever made the
// weight source owns the tensors.

/// <summary>y = x Wᵀ + b.</summary>
internal sealed class Linear : IPackable
{
    private readonly Tensor _weight;
    private readonly Tensor? _bias;
    private Func<Tensor, Tensor> _forward;

    public Linear(WeightScope weights, long inFeatures, long outFeatures, bool bias = true)
    {
        _weight = weights.TakeHeld("weight", outFeatures, inFeatures);
        _bias = bias ? weights.Take("bias", outFeatures) : null;
        _forward = x => F.linear(x, _weight, _bias);
        weights.Packing?.Add(this);
    }

    public Tensor Forward(Tensor x)
    {
        using var section = StepProfile.Of(StepWork.Linear);
        return _forward(x);
    }

    /// <inheritdoc/>
    public FrozenWeight Pack(WeightPacking packing)
    {
        var packed = packing.Pack(_weight, weight => new PackedLinear(weight, _bias) { KeepsTransposed = packing.KeepsTransposed });
        _forward = packed.Forward;
        return packed;
    }
}

/// <summary>Square two-dimensional convolution.</summary>
internal sealed class Conv2d : IPackable
{
    private readonly Tensor _weight;
    private readonly Tensor? _bias;
    private readonly (long Kernel, long Stride, long Padding) _shape;
    private Func<Tensor, Tensor> _forward;

    public Conv2d(WeightScope weights, long inChannels, long outChannels, long kernel, long stride = 1, long padding = 0, bool bias = true)
    {
        _weight = weights.TakeHeld("weight", outChannels, inChannels, kernel, kernel);
        _bias = bias ? weights.Take("bias", outChannels) : null;
        _shape = (kernel, stride, padding);
        _forward = x => F.conv2d(x.contiguous(), _weight, _bias, [stride, stride], [padding, padding]);
        weights.Packing?.Add(this);
    }

    public Tensor Forward(Tensor x)
    {
        using var section = StepProfile.Of(_shape.Kernel == 1 ? StepWork.Linear : StepWork.Convolution);
        return _forward(x);
    }

    /// <inheritdoc/>
    public FrozenWeight Pack(WeightPacking packing)
    {
        if (_shape == (1, 1, 0))
        {
            var pixels = packing.Pack(_weight, weight => new PackedLinear(weight.flatten(1), _bias) { KeepsTransposed = packing.KeepsTransposed });
            _forward = x => pixels.Forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2);
            return pixels;
        }

        var packed = packing.Pack(_weight, weight => new PackedConvolution(weight, _bias, _shape.Stride, _shape.Padding) { KeepsTransposed = packing.KeepsTransposed });
        _forward = packed.Forward;
        return packed;
    }
}

/// <summary>Group normalisation over (B, C, H, W).</summary>
internal sealed class GroupNorm(WeightScope weights, long groups, long channels, double eps)
{
    private readonly Tensor _weight = weights.Take("weight", channels);
    private readonly Tensor _bias = weights.Take("bias", channels);

    public Tensor Forward(Tensor x)
    {
        using var section = StepProfile.Of(StepWork.Norm);
        return F.group_norm(x, groups, _weight, _bias, eps);
    }
}

/// <summary>Layer normalisation over the last axis.</summary>
internal sealed class LayerNorm(WeightScope weights, long width, double eps = 1e-5)
{
    private readonly Tensor _weight = weights.Take("weight", width);
    private readonly Tensor _bias = weights.Take("bias", width);

    public Tensor Forward(Tensor x)
    {
        using var section = StepProfile.Of(StepWork.Norm);
        return F.layer_norm(x, [width], _weight, _bias, eps);
    }
}

/// <summary>Weights of one element.</summary>
internal static class ScalarWeight
{
    /// <summary>Its value, from whatever device and of whatever floating type.</summary>
    public static double Number(this Tensor weight)
    {
        using var scope = NewDisposeScope();
        return weight.to(ScalarType.Float32).item<float>();
    }
}

/// <summary>Two matrices with an activation between them (transformers' CLIPMLP, SiglipMLP, Dinov2MLP).</summary>
internal sealed class FeedForward(WeightScope weights, int hiddenSize, int intermediateSize, Activation activation)
{
    private readonly Linear _fc1 = new(weights.Sub("fc1"), hiddenSize, intermediateSize);
    private readonly Linear _fc2 = new(weights.Sub("fc2"), intermediateSize, hiddenSize);

    public Tensor Forward(Tensor x) => _fc2.Forward(activation.Apply(_fc1.Forward(x)));
}

/// <summary>Scaled dot-product attention over several heads.</summary>
internal static class MultiHead
{
    /// <summary>softmax(q kᵀ/√d) v for each head.</summary>
    /// <param name="q">(B, L, heads·d)</param>
    /// <param name="k">(B, S, heads·d)</param>
    /// <param name="v">(B, S, heads·d)</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="causal">Each position sees only itself and those before.</param>
    /// <returns>(B, L, heads·d)</returns>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v, long heads, bool causal = false)
    {
        using var section = StepProfile.Of(StepWork.Attention);
        return !causal && BlockedAttention.Pays(q, k, v)
            ? BlockedAttention.Attend(q, k, v, heads)
            : F.scaled_dot_product_attention(Split(q, heads), Split(k, heads), Split(v, heads), is_casual: causal)
                .transpose(1, 2)
                .flatten(2);
    }

    /// <summary>(B, L, heads·d) to (B, heads, L, d), a view.</summary>
    public static Tensor Split(Tensor x, long heads) => x.unflatten(2, heads, -1).transpose(1, 2);
}
