using Dti.Engine.Runtime.Devices;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>
/// A loaded Stable Diffusion 1.x, 2.x or XL: text encoders, UNet, autoencoder. Its weights never change and take no
/// gradients. One computation at a time may use it.
/// </summary>
public sealed class StableDiffusionModel : IDiffusionModel
{
    private readonly List<(ModelParts Part, ModelComponent Component)> _components = [];
    private readonly ModelComponent<ClipTextModel>[] _textEncoders;
    private readonly ModelComponent<UNet2DConditionModel> _unet;
    private readonly ModelComponent<AutoencoderKL> _vae;

    private StableDiffusionModel(StableDiffusionProfile profile, ComputeTarget target, MemoryPolicy memory)
    {
        Profile = profile;
        Target = target;
        Memory = memory;
        NoiseProcess = profile.Noise.CreateProcess(target.Device);
        try
        {
            _textEncoders =
            [
                .. profile.Encoders.Zip(profile.TextConfigs, (encoder, config) =>
                    LoadComponent(ModelParts.TextEncoders, encoder.Component, target, weights => new ClipTextModel(
                        config,
                        weights
                    ))
                ),
            ];
            _unet = LoadComponent(ModelParts.Denoiser, "unet", target, weights => new UNet2DConditionModel(
                profile.UNetConfig,
                weights
            ));
            _vae = LoadComponent(
                ModelParts.Autoencoder,
                "vae",
                profile.AutoencoderTarget(target),
                weights => new AutoencoderKL(profile.VaeConfig, weights, memory.AutoencoderTile)
            );
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the model is.</summary>
    public StableDiffusionProfile Profile { get; }

    ModelProfile IDiffusionModel.Profile => Profile;

    /// <summary>Where it computes.</summary>
    public ComputeTarget Target { get; }

    /// <summary>What it trades for memory.</summary>
    public MemoryPolicy Memory { get; }

    /// <inheritdoc/>
    public INoiseProcess NoiseProcess { get; }

    IReadOnlyList<ITextEncoder> IDiffusionModel.TextEncoders => TextEncoders;

    internal ClipTokenizer Tokenizer => (ClipTokenizer)Profile.Tokenizer;

    internal IReadOnlyList<ClipTextModel> TextEncoders => [.. _textEncoders.Select(encoder => encoder.Module)];

    internal ClipTextModel TextEncoder => _textEncoders[0].Module;

    internal ScalarType VaeDtype => Profile.AutoencoderTarget(Target).Dtype;

    internal UNet2DConditionModel UNet => _unet.Module;

    internal AutoencoderKL Vae => _vae.Module;

    /// <summary>Reads the weights, each byte once, straight into tensors of the target's dtype.</summary>
    /// <param name="profile">The model.</param>
    /// <param name="target">Where it is to compute.</param>
    /// <param name="memory">What to trade for memory; null: nothing.</param>
    /// <exception cref="DtiException">A file is missing or corrupt, a tensor is missing, extra or of a wrong
    /// shape.</exception>
    public static StableDiffusionModel Load(ModelProfile profile, ComputeTarget target, MemoryPolicy? memory = null) =>
        new((StableDiffusionProfile)profile, target, memory ?? MemoryPolicy.High);

    /// <inheritdoc/>
    public void UseOnly(ModelParts parts)
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

    /// <inheritdoc/>
    public void ReleaseTransposed() => _components.ForEach(part => part.Component.ReleaseTransposed());

    /// <summary>
    /// One encoder: its last hidden states. Two (SDXL): the last but one of both, side by side, and the
    /// second's projected output.
    /// </summary>
    /// <inheritdoc/>
    public Conditioning Condition(
        IReadOnlyList<Tensor> inputIds,
        IReadOnlyList<Tensor?> conceptRows,
        int clipSkip = 1,
        ActivationCheckpoints? checkpoints = null
    )
    {
        using var scope = NewDisposeScope();
        var outputs = TextEncoders
            .Select((encoder, i) => encoder.Forward(inputIds[i], conceptRows[i], clipSkip, checkpoints))
            .ToArray();
        var states = !Profile.IsXL
            ? outputs[0].LastHiddenState
            : cat([.. outputs.Select(output => output.PenultimateHiddenState)], -1);
        var pooled = outputs[^1].TextEmbeds;
        return new Conditioning(
            checkpoints.Cut(states),
            Pooled: pooled is null ? null : checkpoints.Cut(pooled)
        ).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Predict(
        Tensor sample,
        Tensor times,
        Conditioning conditioning,
        ActivationCheckpoints? checkpoints = null,
        PromptKeys? keys = null
    )
    {
        ArgumentNullException.ThrowIfNull(conditioning);
        var added = conditioning.Pooled is null
            ? null
            : new AddedConditioning(conditioning.Pooled, conditioning.Sizes!);
        return UNet.Forward(sample, times, conditioning.States, added, checkpoints, keys);
    }

    /// <inheritdoc/>
    public LatentDistribution Encode(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var (mean, logVar) = Vae.Encode(pixels.to(VaeDtype, Target.Device));
        return new LatentDistribution(
            mean.to(ScalarType.Float32).MoveToOuterDisposeScope(),
            logVar!.to(ScalarType.Float32).MoveToOuterDisposeScope()
        );
    }

    /// <inheritdoc/>
    public Tensor Normalize(Tensor latents) => Profile.VaeConfig.Normalize(latents);

    /// <inheritdoc/>
    public Tensor Decode(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return Vae.Decode(Profile.VaeConfig.Denormalize(latents).to(VaeDtype, Target.Device)).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        foreach (var (_, component) in _components)
        {
            component.Dispose();
        }

        NoiseProcess.Dispose();
    }

    private ModelComponent<T> LoadComponent<T>(
        ModelParts part,
        string name,
        ComputeTarget target,
        Func<WeightScope, T> build
    )
        where T : class
    {
        using var weights = Profile.OpenWeights(name);
        var component = new ModelComponent<T>(weights, target, Memory, build);
        _components.Add((part, component));
        return component;
    }
}
