using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>
/// A weight in half the bytes of what the layer computes in: it is turned into that and packed each time it is used, in
/// both directions. The tensor is its source's.
/// </summary>
/// <param name="weight">bf16.</param>
/// <param name="pack">Packs it once it is fp32.</param>
internal sealed class HeldWeight(Tensor weight, Func<Tensor, PackedWeight> pack) : FrozenWeight
{
    /// <inheritdoc/>
    public override Tensor Compute(Tensor x)
    {
        using var packed = Pack();
        return packed.Compute(x);
    }

    /// <inheritdoc/>
    public override Tensor Gradient(Tensor gradient, long[] inputShape)
    {
        using var packed = Pack();
        return packed.Gradient(gradient, inputShape);
    }

    /// <inheritdoc/>
    public override void ReleaseTransposed() { }

    /// <inheritdoc/>
    public override void Dispose() { }

    private PackedWeight Pack()
    {
        using var wide = weight.to(ScalarType.Float32);
        return pack(wide);
    }
}
