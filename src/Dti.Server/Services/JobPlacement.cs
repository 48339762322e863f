using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;
using Dti.Server.Configuration;
using Dti.Server.Jobs.Grains;
using Dti.Server.Libraries;

namespace Dti.Server.Services;

/// <summary>
/// Checks that a job fits into memory: of this server, or of the workers of its cluster, for which it states what the
/// job requires.
/// </summary>
internal sealed class JobPlacement(DtiServerOptions options, ModelLibrary models, ModelCache loaded)
{
    /// <summary>What a training requires; null: this server, into whose memory it fits.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="vae">The name of the autoencoder; empty: the model's own.</param>
    /// <param name="profile">The model.</param>
    /// <param name="target">Where it computes.</param>
    /// <param name="settings">The training.</param>
    /// <param name="photos">Its photos.</param>
    /// <exception cref="Dti.Engine.DtiException">It does not fit into the memory of this server.</exception>
    public JobRequirements? Require(
        string model,
        string vae,
        ModelProfile profile,
        ComputeTarget target,
        TrainingSettings settings,
        TrainingSetSize photos
    )
    {
        if (options.Cluster.IsUsed)
        {
            return Of(model, vae, profile, target, memory =>
                ModelCache.WorkingBytes(profile, target, memory, settings, photos)
            );
        }

        loaded.EnsureFits(profile, target, settings, photos);
        return null;
    }

    /// <summary>What a generation requires; null: this server, into whose memory it fits.</summary>
    /// <inheritdoc cref="Require(string, string, ModelProfile, ComputeTarget, TrainingSettings, TrainingSetSize)"/>
    public JobRequirements? Require(
        string model,
        string vae,
        ModelProfile profile,
        ComputeTarget target,
        GenerationSettings settings
    )
    {
        if (options.Cluster.IsUsed)
        {
            return Of(model, vae, profile, target, memory =>
                ModelCache.WorkingBytes(profile, target, memory, settings)
            );
        }

        loaded.EnsureFits(profile, target, settings);
        return null;
    }

    private JobRequirements Of(
        string model,
        string vae,
        ModelProfile profile,
        ComputeTarget target,
        Func<string, long> workingBytes
    )
    {
        var weights = profile.HeldBytes(target);
        return new()
        {
            Model = model,
            Fingerprint = models.FingerprintOf(models.Find(model)),
            Vae = vae,
            Dtype = target.DtypeName,
            WeightBytes = weights,
            LowBytes = weights + workingBytes(MemoryPolicy.Low.Name),
            BalancedBytes = weights + workingBytes(MemoryPolicy.Balanced.Name),
            HighBytes = weights + workingBytes(MemoryPolicy.High.Name),
        };
    }
}
