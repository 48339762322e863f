using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>
/// A frozen layer's weight in the layout of the processor's kernels (<see cref="OneDnn"/>), and what the layer computes
/// with it. It is packed when it is first used. Owns the weight.
/// </summary>
/// <param name="weight">Plain.</param>
/// <param name="bias">(O), owned by the caller; null: none.</param>
internal abstract class PackedWeight(Tensor weight, Tensor? bias) : FrozenWeight
{
    private PackedWeight? _transposed;
    private Tensor? _plain;

    /// <summary>
    /// Keeps the copy for the backward pass, which is as large as the weight, from one training step to the next.
    /// </summary>
    public bool KeepsTransposed { get; init; }

    /// <summary>What the layer does, in a profile.</summary>
    protected abstract StepWork Work { get; }

    /// <summary>Opaque once it is packed.</summary>
    protected Tensor Weight { get; private set; } = weight.alias().DetachFromDisposeScope();

    protected Tensor? Bias { get; } = bias;

    /// <inheritdoc/>
    public override Tensor Gradient(Tensor gradient, long[] inputShape)
    {
        using var scope = NewDisposeScope();
        using var section = StepProfile.Of(Work);
        if (!KeepsTransposed)
        {
            return Gradient(gradient, inputShape, Weight.to_dense()).MoveToOuterDisposeScope();
        }

        _transposed ??= _plain is null ? Transpose(Weight.to_dense()) : null;
        if (_transposed is not null)
        {
            return _transposed.Compute(gradient).MoveToOuterDisposeScope();
        }

        _plain ??= Weight.to_dense().DetachFromDisposeScope();
        return Gradient(gradient, inputShape, _plain).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void ReleaseTransposed()
    {
        _transposed?.Dispose();
        _plain?.Dispose();
        (_transposed, _plain) = (null, null);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        ReleaseTransposed();
        Weight.Dispose();
    }

    /// <summary>The layer that takes the gradient back; null: there is none.</summary>
    /// <param name="plain">The weight.</param>
    protected abstract PackedWeight? Transpose(Tensor plain);

    /// <summary>
    /// The gradient by the plain weight: slower than by a transposed layer, and much faster than making that layer for
    /// one step.
    /// </summary>
    protected abstract Tensor Gradient(Tensor gradient, long[] inputShape, Tensor plain);

    /// <summary>Packs the weight, or packs it otherwise.</summary>
    /// <param name="pack">From the plain one.</param>
    protected void Pack(Func<Tensor, Tensor> pack)
    {
        var before = Weight;
        using var plain = before.to_dense();
        Weight = pack(plain).DetachFromDisposeScope(); // without memory for it the layer stays as it was
        before.Dispose();
    }
}

/// <summary>y = x Wᵀ + b.</summary>
/// <param name="weight">(O, I)</param>
/// <param name="bias">(O); null: none.</param>
internal sealed class PackedLinear(Tensor weight, Tensor? bias) : PackedWeight(weight, bias)
{
    private bool _isPacked;

    /// <inheritdoc/>
    protected override StepWork Work => StepWork.Linear;

    /// <inheritdoc/>
    public override Tensor Compute(Tensor x)
    {
        if (!_isPacked)
        {
            Pack(OneDnn.PackLinear);
            _isPacked = true;
        }

        return OneDnn.Linear(x, Weight, Bias);
    }

    /// <inheritdoc/>
    protected override PackedWeight Transpose(Tensor plain) => new PackedLinear(plain.t().contiguous(), null);

    /// <inheritdoc/>
    protected override Tensor Gradient(Tensor gradient, long[] inputShape, Tensor plain) => gradient.matmul(plain);
}

/// <summary>
/// A square convolution. It takes and gives channels-last. Which layout is best depends on the image's sides as well,
/// on processors without AVX-512 so much that another size's takes ten times as long: it is packed for the first
/// image, and again for one of other sides.
/// </summary>
/// <param name="weight">(O, I, k, k), k &gt; 1</param>
/// <param name="bias">(O); null: none.</param>
/// <param name="stride">Its stride.</param>
/// <param name="padding">Its padding.</param>
internal sealed class PackedConvolution(Tensor weight, Tensor? bias, long stride, long padding)
    : PackedWeight(weight, bias)
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
            Pack(plain => OneDnn.PackConvolution(plain, stride, padding, x.shape));
            _packedFor = (x.shape[2], x.shape[3]);
        }

        return OneDnn.Convolution(x, Weight, Bias, stride, padding);
    }

    /// <summary>
    /// The kernel turned round, inputs and outputs exchanged. With a stride it would look at many zeros.
    /// </summary>
    protected override PackedWeight? Transpose(Tensor plain) =>
        stride > 1
            ? null
            : new PackedConvolution(plain.flip(2, 3).transpose(0, 1).contiguous(), null, 1, _kernel - 1 - padding);

    /// <inheritdoc/>
    protected override Tensor Gradient(Tensor gradient, long[] inputShape, Tensor plain) =>
        OneDnn.ConvolutionBackward(gradient, inputShape, plain, stride, padding);
}
