using Dti.Engine.Runtime.Devices;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// A loaded Stable Diffusion 1.x, 2.x or XL: tokenizers, text encoders, UNet, autoencoder. Its weights never change and take no
/// gradients. One computation at a time may use it.
/// </summary>
public sealed class StableDiffusionModel : IDisposable
{
    private readonly List<(ModelParts Part, ModelComponent Component)> _components = [];
    private readonly ModelComponent<ClipTextModel>[] _textEncoders;
    private readonly ModelComponent<UNet2DConditionModel> _unet;
    private readonly ModelComponent<AutoencoderKL> _vae;

    private StableDiffusionModel(ModelProfile profile, ComputeTarget target, MemoryPolicy memory)
    {
        Profile = profile;
        Target = target;
        Memory = memory;
        NoiseSchedule = new NoiseSchedule(profile.Scheduler, target.Device);
        try
        {
            _textEncoders =
            [
                .. profile.Encoders.Select(encoder => LoadComponent(
                    ModelParts.TextEncoders, encoder.Component, target, weights => new ClipTextModel(encoder.Config, weights))),
            ];
            _unet = LoadComponent(ModelParts.UNet, "unet", target, weights => new UNet2DConditionModel(profile.UNetConfig, weights));
            _vae = LoadComponent(ModelParts.Vae, "vae", profile.VaeTarget(target), weights => new AutoencoderKL(profile.VaeConfig, weights, memory.AutoencoderTile));
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

    /// <summary>What it trades for memory.</summary>
    public MemoryPolicy Memory { get; }

    internal ClipTokenizer Tokenizer => Profile.Tokenizer;

    internal IReadOnlyList<ClipTextModel> TextEncoders => [.. _textEncoders.Select(encoder => encoder.Module)];

    internal ClipTextModel TextEncoder => _textEncoders[0].Module;

    internal ScalarType VaeDtype => Profile.VaeTarget(Target).Dtype;

    internal UNet2DConditionModel UNet => _unet.Module;

    internal AutoencoderKL Vae => _vae.Module;

    internal NoiseSchedule NoiseSchedule { get; }

    /// <summary>Reads the weights, each byte once, straight into tensors of the target's dtype.</summary>
    /// <param name="profile">The model.</param>
    /// <param name="target">Where it is to compute.</param>
    /// <param name="memory">What to trade for memory; null: nothing.</param>
    /// <exception cref="DtiException">A file is missing or corrupt, a tensor is missing, extra or of a wrong shape.</exception>
    public static StableDiffusionModel Load(ModelProfile profile, ComputeTarget target, MemoryPolicy? memory = null) =>
        new(profile, target, memory ?? MemoryPolicy.High);

    /// <summary>
    /// Says what is used next: everything else may leave the device, if idle components do. Whatever is used comes back by itself, so this
    /// only ever saves memory.
    /// </summary>
    internal void UseOnly(ModelParts parts)
    {
        if (Target.Device.type == TorchSharp.DeviceType.CPU)
        {
            MaskedConstants.Load();
        }

        foreach (var (_, component) in _components.Where(idle => (idle.Part & parts) == 0))
        {
            component.Release();
        }
    }

    /// <summary>Frees what only training needs, until the next training.</summary>
    internal void ReleaseTransposed() => _components.ForEach(part => part.Component.ReleaseTransposed());

    /// <summary>
    /// What the UNet is told of prompts. One encoder: its last hidden states. Two (SDXL): the last but one of both, side by side, and the
    /// second's projected output.
    /// </summary>
    /// <param name="inputIds">(B, 77) int64 for each encoder.</param>
    /// <param name="conceptRows">(r, d) for each encoder; null: none.</param>
    /// <param name="clipSkip">The last layer in use, from the end; one encoder only.</param>
    /// <param name="checkpoints">Of activations, in training; null: none.</param>
    internal TextConditioning Condition(
        IReadOnlyList<Tensor> inputIds, IReadOnlyList<Tensor?> conceptRows, int clipSkip = 1, ActivationCheckpoints? checkpoints = null)
    {
        using var scope = NewDisposeScope();
        var outputs = TextEncoders.Select((encoder, i) => encoder.Forward(inputIds[i], conceptRows[i], clipSkip, checkpoints)).ToArray();
        var states = outputs.Length == 1 ? outputs[0].LastHiddenState : cat([.. outputs.Select(output => output.PenultimateHiddenState)], -1);
        var pooled = outputs[^1].TextEmbeds;
        return new TextConditioning(checkpoints.Cut(states), pooled is null ? null : checkpoints.Cut(pooled)).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        foreach (var (_, component) in _components)
        {
            component.Dispose();
        }

        NoiseSchedule.Dispose();
    }

    private ModelComponent<T> LoadComponent<T>(ModelParts part, string name, ComputeTarget target, Func<WeightScope, T> build)
        where T : class
    {
        using var weights = Profile.OpenWeights(name);
        var component = new ModelComponent<T>(weights, target, Memory, build);
        _components.Add((part, component));
        return component;
    }
}
