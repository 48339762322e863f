using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>The keys and values that a denoiser's layers make of a prompt: the same in each sampling step, so they are made in the first. Owns them.</summary>
internal sealed class PromptKeys : IDisposable
{
    private readonly Dictionary<Attention, (Tensor Keys, Tensor Values)> _made = [];

    /// <summary>Those of one layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="states">(B, 77, d): the prompt's states, the same at each call.</param>
    public (Tensor Keys, Tensor Values) Of(Attention layer, Tensor states)
    {
        if (!_made.TryGetValue(layer, out var made))
        {
            var (keys, values) = layer.KeysAndValues(states);
            made = (keys.DetachFromDisposeScope(), values.DetachFromDisposeScope());
            _made.Add(layer, made);
        }

        return made;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (keys, values) in _made.Values)
        {
            keys.Dispose();
            values.Dispose();
        }

        _made.Clear();
    }
}
