using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// Checks that a checkpoint has what a module takes, by its headers alone; what it hands out is empty.
/// </summary>
/// <param name="weights">The checkpoint.</param>
internal sealed class HeaderWeightSource(ComponentWeights weights) : IWeightSource
{
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    public bool Contains(string name) => weights.Contains(name);

    public Tensor Take(string name, long[] shape)
    {
        weights.EnsureShape(name, shape);
        _taken.Add(name);
        return empty(0);
    }

    /// <summary>Checks that the module takes all that the checkpoint has, but for what no pipeline reads.</summary>
    /// <exception cref="DtiException">The checkpoint holds more; up to five of the extra tensors are named.</exception>
    public void EnsureAllTaken() => UnreadTensors.EnsureAllTaken(weights, _taken);
}
