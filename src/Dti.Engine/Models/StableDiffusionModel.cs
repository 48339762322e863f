using Dti.Engine.Checkpoints;
using Dti.Engine.Runtime;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// A loaded Stable Diffusion 1.x, 2.x or XL: tokenizers, text encoders, UNet, autoencoder. Its weights never change and take no
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
            TextEncoders = [.. profile.Encoders.Select(encoder => LoadComponent(encoder.Component, target.Dtype, weights => new ClipTextModel(encoder.Config, weights)))];
            UNet = LoadComponent("unet", target.Dtype, weights => new UNet2DConditionModel(profile.UNetConfig, weights));
            Vae = LoadComponent("vae", VaeDtype, weights => new AutoencoderKL(profile.VaeConfig, weights));
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

    internal IReadOnlyList<ClipTextModel> TextEncoders { get; }

    internal ClipTextModel TextEncoder => TextEncoders[0];

    internal ScalarType VaeDtype => Profile.VaeDtype(Target);

    internal UNet2DConditionModel UNet { get; }

    internal AutoencoderKL Vae { get; }

    internal NoiseSchedule NoiseSchedule { get; }

    /// <summary>Reads the weights, each byte once, straight into tensors of the target's dtype.</summary>
    /// <param name="profile">The model.</param>
    /// <param name="target">Where it is to compute.</param>
    /// <exception cref="DtiException">A file is missing or corrupt, a tensor is missing, extra or of a wrong shape.</exception>
    public static StableDiffusionModel Load(ModelProfile profile, ComputeTarget target) => new(profile, target);

    /// <summary>
    /// What the UNet is told of prompts. One encoder: its last hidden states. Two (SDXL): the last but one of both, side by side, and the
    /// second's projected output.
    /// </summary>
    /// <param name="inputIds">(B, 77) int64 for each encoder.</param>
    /// <param name="conceptRows">(r, d) for each encoder; null: none.</param>
    /// <param name="clipSkip">The last layer in use, from the end; one encoder only.</param>
    internal TextConditioning Condition(IReadOnlyList<Tensor> inputIds, IReadOnlyList<Tensor?> conceptRows, int clipSkip = 1)
    {
        using var scope = NewDisposeScope();
        var outputs = TextEncoders.Select((encoder, i) => encoder.Forward(inputIds[i], conceptRows[i], clipSkip)).ToArray();
        return new TextConditioning(
            outputs.Length == 1 ? outputs[0].LastHiddenState : cat([.. outputs.Select(output => output.PenultimateHiddenState)], -1),
            outputs[^1].TextEmbeds).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        foreach (var source in _sources)
        {
            source.Dispose();
        }

        NoiseSchedule.Dispose();
    }

    private T LoadComponent<T>(string component, ScalarType dtype, Func<WeightScope, T> build)
    {
        using var weights = Profile.OpenWeights(component);
        var source = new CheckpointWeightSource(weights, dtype, Target.Device);
        _sources.Add(source);
        var model = build(new WeightScope(source));
        source.EnsureAllTaken();
        return model;
    }
}
