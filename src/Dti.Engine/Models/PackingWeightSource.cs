using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>A weight source whose layers have their weights packed once all weights are read.</summary>
/// <param name="source">The weights.</param>
/// <param name="packing">Collects the layers and packs them.</param>
internal sealed class PackingWeightSource(IWeightSource source, WeightPacking packing) : IWeightSource
{
    /// <summary>Collects the layers and packs them.</summary>
    public WeightPacking Packing => packing;

    /// <inheritdoc/>
    public bool Contains(string name) => source.Contains(name);

    /// <inheritdoc/>
    public Tensor Take(string name, long[] shape) => source.Take(name, shape);

    /// <inheritdoc/>
    public Tensor TakeHeld(string name, long[] shape) => source.TakeHeld(name, shape);
}

internal static class PackingWeightSourceExtensions
{
    /// <summary>
    /// Registers a layer for packing, where the weights come from a <see cref="PackingWeightSource"/>.
    /// </summary>
    public static void Register(this WeightScope weights, IPackable layer) =>
        (weights.Source as PackingWeightSource)?.Packing.Add(layer);
}
