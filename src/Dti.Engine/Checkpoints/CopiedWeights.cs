using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Checkpoints;

/// <summary>Copies on a device of weights that wait elsewhere. Owns the copies.</summary>
/// <param name="weights">By name; they stay as they are.</param>
/// <param name="device">Where the copies are.</param>
internal sealed class CopiedWeights(IReadOnlyDictionary<string, Tensor> weights, Device device)
    : IWeightSource,
        IDisposable
{
    private readonly List<Tensor> _copies = [];

    /// <inheritdoc/>
    public bool Contains(string name) => weights.ContainsKey(name);

    /// <inheritdoc/>
    public Tensor Take(string name, long[] shape)
    {
        using var frozen = no_grad();
        var waiting = weights[name];
        var copy = empty(shape, waiting.dtype, device).DetachFromDisposeScope();
        _copies.Add(copy);
        copy.copy_(waiting);
        return copy;
    }

    /// <summary>Frees the copies.</summary>
    public void Dispose() => _copies.ForEach(copy => copy.Dispose());
}
