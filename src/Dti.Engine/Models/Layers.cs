using Dti.Engine.Runtime;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models;

// The few layers that every model is made of. Each takes its weights by the names that checkpoints use; the caller who
// made the weight source owns the tensors.

/// <summary>A layer of one weight.</summary>
internal interface ILayer : IPackable
{
    Tensor Forward(Tensor x);
}

/// <summary>y = x Wᵀ + b.</summary>
internal sealed class Linear : ILayer
{
    private readonly Tensor _weight;
    private readonly Tensor? _bias;
    private ILayerKernel _kernel;

    public Linear(WeightScope weights, long inFeatures, long outFeatures, bool bias = true)
    {
        _weight = weights.TakeHeld("weight", outFeatures, inFeatures);
        _bias = bias ? weights.Take("bias", outFeatures) : null;
        _kernel = new PlainLinear(_weight, _bias);
        weights.Register(this);
    }

    public Tensor Forward(Tensor x)
    {
        using var section = StepProfile.Of(StepWork.Linear);
        return _kernel.Forward(x);
    }

    /// <inheritdoc/>
    public FrozenWeight Pack(WeightPacking packing)
    {
        var packed = packing.Pack(_weight, weight => new PackedLinear(weight, _bias)
        {
            KeepsTransposed = packing.KeepsTransposed,
        });
        _kernel = packed;
        return packed;
    }
}

/// <summary>Square two-dimensional convolution.</summary>
internal sealed class Conv2d : ILayer
{
    private readonly Tensor _weight;
    private readonly Tensor? _bias;
    private readonly (long Kernel, long Stride, long Padding) _shape;
    private ILayerKernel _kernel;

    public Conv2d(
        WeightScope weights,
        long inChannels,
        long outChannels,
        long kernel,
        long stride = 1,
        long padding = 0,
        bool bias = true
    )
    {
        _weight = weights.TakeHeld("weight", outChannels, inChannels, kernel, kernel);
        _bias = bias ? weights.Take("bias", outChannels) : null;
        _shape = (kernel, stride, padding);
        _kernel = new PlainConvolution(_weight, _bias, stride, padding);
        weights.Register(this);
    }

    public Tensor Forward(Tensor x)
    {
        using var section = StepProfile.Of(_shape.Kernel == 1 ? StepWork.Linear : StepWork.Convolution);
        return _kernel.Forward(x);
    }

    /// <inheritdoc/>
    public FrozenWeight Pack(WeightPacking packing)
    {
        if (_shape == (1, 1, 0))
        {
            var pixels = packing.Pack(_weight, weight =>
            {
                using var matrix = weight.flatten(1); // holds the weight, which may be there for this use alone
                return new PackedLinear(matrix, _bias) { KeepsTransposed = packing.KeepsTransposed };
            });
            _kernel = new PixelConvolution(pixels);
            return pixels;
        }

        var packed = packing.Pack(_weight, weight => new PackedConvolution(weight, _bias, _shape.Stride, _shape.Padding)
        {
            KeepsTransposed = packing.KeepsTransposed,
        });
        _kernel = packed;
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
