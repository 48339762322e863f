using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Checkpoints;

/// <summary>Checks that a checkpoint has what a module takes, by its headers alone; what it hands out is empty.</summary>
/// <param name="weights">The checkpoint.</param>
internal sealed class HeaderWeightSource(ComponentWeights weights) : IWeightSource
{
    public bool Contains(string name) => weights.Contains(name);

    public Tensor Take(string name, long[] shape)
    {
        weights.EnsureShape(name, shape);
        return empty(0);
    }
}
