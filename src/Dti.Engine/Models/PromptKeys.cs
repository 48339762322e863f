using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// The keys and values that a denoiser's layers make of prompts: the same in each sampling step, so they are made in
/// the first. Owns them.
/// </summary>
public sealed class PromptKeys : IDisposable
{
    private readonly Dictionary<object, (Tensor Keys, Tensor Values)> _made = [];

    /// <summary>Those of one layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="make">Makes them of the prompts' states, which are the same at each call.</param>
    public (Tensor Keys, Tensor Values) Of(object layer, Func<(Tensor Keys, Tensor Values)> make)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(make);
        if (!_made.TryGetValue(layer, out var made))
        {
            var (keys, values) = make();
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
