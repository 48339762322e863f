using Dti.Engine.Runtime;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>A frozen layer's weight in the layout of the processor's kernels (<see cref="OneDnn"/>), and what the layer computes with it. Owns the packed weight.</summary>
/// <param name="weight">Packed, an opaque tensor; or plain until it is packed.</param>
/// <param name="bias">(O), owned by whoever made it; null: none.</param>
internal abstract class PackedWeight(Tensor weight, Tensor? bias) : FrozenWeight
{
    private PackedWeight? _transposed;

    /// <summary>Keeps what the way back needs, which is as large as the weight, from one training step to the next.</summary>
    public bool KeepsTransposed { get; init; }

    /// <summary>What the layer does, in a profile.</summary>
    protected abstract StepWork Work { get; }

    protected Tensor Weight { get; set; } = weight.DetachFromDisposeScope();

    protected Tensor? Bias { get; } = bias;

    /// <inheritdoc/>
    public override Tensor Gradient(Tensor gradient, long[] inputShape)
    {
        using var scope = NewDisposeScope();
        using var section = StepProfile.Of(Work);
        var transposed = _transposed ?? Transpose(Weight.to_dense());
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
        Weight.Dispose();
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
    public override Tensor Compute(Tensor x) => OneDnn.Linear(x, Weight, Bias);

    /// <inheritdoc/>
    protected override PackedWeight Transpose(Tensor weight) => new PackedLinear(weight.t().contiguous(), null);
}

/// <summary>
/// A square convolution. It takes and gives channels-last. Which layout is best depends on the picture's sides as well, on processors without AVX-512 so much
/// that another size's takes ten times as long: it is packed for the first picture, and again for one of other sides.
/// </summary>
/// <param name="weight">(O, I, k, k), k &gt; 1</param>
/// <param name="bias">(O); null: none.</param>
/// <param name="stride">Its stride.</param>
/// <param name="padding">Its padding.</param>
internal sealed class PackedConvolution(Tensor weight, Tensor? bias, long stride, long padding) : PackedWeight(weight.alias(), bias)
{
    private readonly long _kernel = weight.shape[2];
    private (long Height, long Width) _packedFor; // none while the weight is plain

    /// <inheritdoc/>
    protected override StepWork Work => StepWork.Convolution;

    /// <inheritdoc/>
    public override Tensor Compute(Tensor x)
    {
        if (_packedFor != (x.shape[2], x.shape[3]))
        {
            using var before = Weight;
            using var plain = before.to_dense();
            Weight = OneDnn.PackConvolution(plain, stride, padding, x.shape).DetachFromDisposeScope();
            _packedFor = (x.shape[2], x.shape[3]);
        }

        return OneDnn.Convolution(x, Weight, Bias, stride, padding);
    }

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
