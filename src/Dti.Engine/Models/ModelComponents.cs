using Dti.Engine.Runtime.Devices;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;

namespace Dti.Engine.Models;

/// <summary>The components of a loaded model, which take turns on the device. Owns them.</summary>
/// <param name="profile">The model.</param>
/// <param name="target">Where it computes.</param>
/// <param name="memory">What it trades for memory.</param>
internal sealed class ModelComponents(ModelProfile profile, ComputeTarget target, MemoryPolicy memory) : IDisposable
{
    private readonly List<(ModelParts Part, ModelComponent Component)> _all = [];

    /// <summary>Loads a component.</summary>
    /// <param name="part">What it belongs to.</param>
    /// <param name="name">Its folder.</param>
    /// <param name="build">Builds its module.</param>
    /// <param name="own">Where it computes; null: where the model does.</param>
    /// <exception cref="DtiException">A tensor is missing, extra or of a wrong shape.</exception>
    public ModelComponent<T> Load<T>(
        ModelParts part,
        string name,
        Func<WeightScope, T> build,
        ComputeTarget? own = null
    )
        where T : class
    {
        using var weights = profile.OpenWeights(name);
        var component = new ModelComponent<T>(weights, own ?? target, memory, build);
        _all.Add((part, component));
        return component;
    }

    /// <inheritdoc cref="IDiffusionModel.UseOnly"/>
    public void UseOnly(ModelParts parts)
    {
        if (target.Device.type == TorchSharp.DeviceType.CPU)
        {
            MaskedConstants.Load();
        }

        foreach (var (_, component) in _all.Where(idle => (idle.Part & parts) == 0))
        {
            component.Release();
        }
    }

    /// <inheritdoc cref="IDiffusionModel.ReleaseTransposed"/>
    public void ReleaseTransposed() => _all.ForEach(part => part.Component.ReleaseTransposed());

    /// <inheritdoc/>
    public void Dispose() => _all.ForEach(part => part.Component.Dispose());
}
