using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// A loaded model whose components are in <see cref="Components"/>. A family derives from it and defines the forward
/// passes.
/// </summary>
/// <typeparam name="TProfile">The family's profile.</typeparam>
public abstract class DiffusionModel<TProfile> : IDiffusionModel
    where TProfile : ModelProfile
{
    private protected DiffusionModel(TProfile profile, ComputeTarget target, MemoryPolicy memory)
    {
        (Profile, Target, Memory) = (profile, target, memory);
        NoiseProcess = profile.Noise.CreateProcess(target.Device);
        Components = new ModelComponents(profile, target, memory);
    }

    /// <summary>What the model is.</summary>
    public TProfile Profile { get; }

    ModelProfile IDiffusionModel.Profile => Profile;

    /// <inheritdoc/>
    public ComputeTarget Target { get; }

    /// <inheritdoc/>
    public MemoryPolicy Memory { get; }

    /// <inheritdoc/>
    public INoiseProcess NoiseProcess { get; }

    /// <inheritdoc/>
    public abstract IReadOnlyList<ITextEncoder> TextEncoders { get; }

    private protected ModelComponents Components { get; }

    /// <inheritdoc/>
    public void UseOnly(ModelParts parts) => Components.UseOnly(parts);

    /// <inheritdoc/>
    public void ReleaseTransposed() => Components.ReleaseTransposed();

    /// <inheritdoc/>
    public abstract Conditioning Condition(
        IReadOnlyList<Tensor> inputIds,
        IReadOnlyList<Tensor?> conceptRows,
        int clipSkip = 1,
        ActivationCheckpoints? checkpoints = null
    );

    /// <inheritdoc/>
    public abstract Tensor Predict(
        Tensor sample,
        Tensor times,
        Conditioning conditioning,
        ActivationCheckpoints? checkpoints = null,
        PromptKeys? keys = null
    );

    /// <inheritdoc/>
    public abstract LatentDistribution Encode(Tensor pixels);

    /// <inheritdoc/>
    public abstract Tensor Normalize(Tensor latents);

    /// <inheritdoc/>
    public abstract Tensor Decode(Tensor latents);

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        Components.Dispose();
        NoiseProcess.Dispose();
        GC.SuppressFinalize(this);
    }
}
