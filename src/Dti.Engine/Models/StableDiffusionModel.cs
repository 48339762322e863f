using Dti.Engine.Checkpoints;
using Dti.Engine.Runtime;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Models;

/// <summary>
/// A loaded Stable Diffusion 1.x or 2.x: tokenizer, text encoder, UNet, autoencoder. Its weights never change and take no
/// gradients. One computation at a time may use it.
/// </summary>
public sealed class StableDiffusionModel : IDisposable
{
    private readonly List<CheckpointWeightSource> _sources = [];

    private StableDiffusionModel(ModelProfile profile, ComputeTarget target)
    {
        Profile = profile;
        Target = target;
        NoiseSchedule = new NoiseSchedule(profile.Scheduler, target.Device);
        try
        {
            TextEncoder = LoadComponent("text_encoder", weights => new ClipTextModel(profile.TextConfig, weights));
            UNet = LoadComponent("unet", weights => new UNet2DConditionModel(profile.UNetConfig, weights));
            Vae = LoadComponent("vae", weights => new AutoencoderKL(profile.VaeConfig, weights));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the model is.</summary>
    public ModelProfile Profile { get; }

    /// <summary>Where it computes.</summary>
    public ComputeTarget Target { get; }

    internal ClipTokenizer Tokenizer => Profile.Tokenizer;

    internal ClipTextModel TextEncoder { get; }

    internal UNet2DConditionModel UNet { get; }

    internal AutoencoderKL Vae { get; }

    internal NoiseSchedule NoiseSchedule { get; }

    /// <summary>Reads the weights, each byte once, straight into tensors of the target's dtype.</summary>
    /// <param name="profile">The model.</param>
    /// <param name="target">Where it is to compute.</param>
    /// <exception cref="DtiException">A file is missing or corrupt, a tensor is missing, extra or of a wrong shape.</exception>
    public static StableDiffusionModel Load(ModelProfile profile, ComputeTarget target) => new(profile, target);

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        foreach (var source in _sources)
        {
            source.Dispose();
        }

        NoiseSchedule.Dispose();
    }

    private T LoadComponent<T>(string component, Func<WeightScope, T> build)
    {
        using var weights = Profile.Checkpoint.OpenWeights(component);
        var source = new CheckpointWeightSource(weights, Target.Dtype, Target.Device);
        _sources.Add(source);
        var model = build(new WeightScope(source));
        source.EnsureAllTaken();
        return model;
    }
}
