using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>A layer whose weight can be packed.</summary>
internal interface IPackable
{
    /// <summary>Has the weight packed (<see cref="WeightPacking.Pack"/>), and computes with that from now on.</summary>
    /// <returns>Owned by the caller, and in use by the layer.</returns>
    FrozenWeight Pack(WeightPacking packing);
}

/// <summary>
/// The layers of a frozen model, whose weights are packed as they are first used. Owns what is packed.
/// </summary>
/// <param name="keepsTransposed">See <see cref="PackedWeight.KeepsTransposed"/>.</param>
/// <param name="dtype">What the model computes in.</param>
internal sealed class WeightPacking(bool keepsTransposed, ScalarType dtype) : IDisposable
{
    private readonly List<IPackable> _layers = [];
    private readonly List<FrozenWeight> _packed = [];

    /// <summary>See <see cref="PackedWeight.KeepsTransposed"/>.</summary>
    public bool KeepsTransposed => keepsTransposed;

    /// <summary>Layers say of themselves that they are there, as they are made.</summary>
    public void Add(IPackable layer) => _layers.Add(layer);

    /// <summary>
    /// Has all compute with packed weights from now on, of which no more than one is ever there twice.
    /// </summary>
    public void PackAll()
    {
        foreach (var layer in _layers)
        {
            _packed.Add(layer.Pack(this));
        }

        _layers.Clear();
    }

    /// <summary>
    /// Takes a weight over, to be packed once; one that is held in another dtype is packed each time it is used.
    /// </summary>
    public FrozenWeight Pack(Tensor weight, Func<Tensor, PackedWeight> pack)
    {
        if (weight.dtype != dtype)
        {
            return new HeldWeight(weight, pack);
        }

        using (weight)
        {
            return pack(weight);
        }
    }

    /// <summary>Frees what only training needs.</summary>
    public void ReleaseTransposed() => _packed.ForEach(weight => weight.ReleaseTransposed());

    /// <inheritdoc/>
    public void Dispose() => _packed.ForEach(weight => weight.Dispose());
}
