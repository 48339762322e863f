using Dti.Engine.Runtime;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>A frozen layer's weight in the layout of the processor's kernels (<see cref="OneDnn"/>), and what the layer computes with it. Owns the packed weight.</summary>
/// <param name="packed">Opaque.</param>
/// <param name="bias">(O), owned by whoever made it; null: none.</param>
internal abstract class PackedWeight(Tensor packed, Tensor? bias) : FrozenWeight
{
    private PackedWeight? _transposed;

    /// <summary>Keeps what the way back needs, which is as large as the weight, from one training step to the next.</summary>
    public bool KeepsTransposed { get; init; }

    /// <summary>What the layer does, in a profile.</summary>
    protected abstract StepWork Work { get; }

    protected Tensor Packed { get; } = packed.DetachFromDisposeScope();

    protected Tensor? Bias { get; } = bias;

    /// <inheritdoc/>
    public override Tensor Gradient(Tensor gradient, long[] inputShape)
    {
        using var scope = NewDisposeScope();
        using var section = StepProfile.Of(Work);
        var transposed = _transposed ?? Transpose(Packed.to_dense());
        try
        {
            return transposed.Compute(Spread(gradient, inputShape)).MoveToOuterDisposeScope();
        }
        finally
        {
            if (KeepsTransposed)
            {
                _transposed = transposed;
            }
            else
            {
                transposed.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public override void ReleaseTransposed()
    {
        _transposed?.Dispose();
        _transposed = null;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        ReleaseTransposed();
        Packed.Dispose();
    }

    /// <summary>The layer that takes the gradient back.</summary>
    /// <param name="weight">Unpacked.</param>
    protected abstract PackedWeight Transpose(Tensor weight);

    /// <summary>The gradient as that layer wants it.</summary>
    protected virtual Tensor Spread(Tensor gradient, long[] inputShape) => gradient;
}

/// <summary>y = x Wᵀ + b.</summary>
/// <param name="weight">(O, I)</param>
/// <param name="bias">(O); null: none.</param>
internal sealed class PackedLinear(Tensor weight, Tensor? bias) : PackedWeight(OneDnn.PackLinear(weight), bias)
{
    /// <inheritdoc/>
    protected override StepWork Work => StepWork.Linear;

    /// <inheritdoc/>
    public override Tensor Compute(Tensor x) => OneDnn.Linear(x, Packed, Bias);

    /// <inheritdoc/>
    protected override PackedWeight Transpose(Tensor weight) => new PackedLinear(weight.t().contiguous(), null);
}

/// <summary>A square convolution. It takes and gives channels-last.</summary>
/// <param name="weight">(O, I, k, k), k &gt; 1</param>
/// <param name="bias">(O); null: none.</param>
/// <param name="stride">Its stride.</param>
/// <param name="padding">Its padding.</param>
internal sealed class PackedConvolution(Tensor weight, Tensor? bias, long stride, long padding) : PackedWeight(OneDnn.PackConvolution(weight, stride, padding), bias)
{
    private readonly long _kernel = weight.shape[2];

    /// <inheritdoc/>
    protected override StepWork Work => StepWork.Convolution;

    /// <inheritdoc/>
    public override Tensor Compute(Tensor x) => OneDnn.Convolution(x, Packed, Bias, stride, padding);

    /// <summary>The kernel turned round, inputs and outputs exchanged.</summary>
    protected override PackedWeight Transpose(Tensor weight) => new PackedConvolution(weight.flip(2, 3).transpose(0, 1).contiguous(), null, 1, _kernel - 1 - padding);

    /// <summary>With a stride, zeros between the positions that the convolution looked at.</summary>
    protected override Tensor Spread(Tensor gradient, long[] inputShape)
    {
        if (stride == 1)
        {
            return gradient;
        }

        var more = (2 * padding) - _kernel + 1;
        var spread = zeros(gradient.shape[0], inputShape[2] + more, inputShape[3] + more, gradient.shape[1], gradient.dtype).permute(0, 3, 1, 2);
        var every = TensorIndex.Slice(0, null, stride);
        spread[.., .., every, every].copy_(gradient);
        return spread;
    }
}
