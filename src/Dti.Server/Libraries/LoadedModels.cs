using Dti.Engine.Models;
using Dti.Engine.Runtime;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Libraries;

/// <summary>The model in memory: the last one used stays until another is needed. Used by the device's thread only.</summary>
internal sealed class LoadedModels(ILogger<LoadedModels> logger) : IDisposable
{
    private volatile StableDiffusionModel? _model;

    /// <summary>Whether a model is in memory now.</summary>
    public bool Holds(ModelProfile? profile) => profile is not null && _model?.Profile == profile;

    /// <summary>The model, loaded if need be. It belongs to this cache.</summary>
    /// <exception cref="Dti.Engine.DtiException">It cannot be loaded; the model before it is gone from memory all the same.</exception>
    public StableDiffusionModel Load(ModelProfile profile, ComputeTarget target)
    {
        if (_model is { } model && model.Profile == profile && model.Target.Dtype == target.Dtype && model.Target.DeviceName == target.DeviceName)
        {
            return model;
        }

        // One model at a time: the old one goes first, so that both need never fit.
        Dispose();
        _model = StableDiffusionModel.Load(profile, target);
        logger.ModelLoaded(profile.Name, target.DeviceName, target.DtypeName);
        return _model;
    }

    public void Dispose()
    {
        _model?.Dispose();
        _model = null;
    }
}
