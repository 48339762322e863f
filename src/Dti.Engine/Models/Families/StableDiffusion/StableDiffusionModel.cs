using Dti.Engine.Runtime.Devices;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>
/// A loaded Stable Diffusion 1.x, 2.x or XL: text encoders, UNet, autoencoder. Its weights never change and take no
/// gradients. One computation at a time may use it.
/// </summary>
public sealed class StableDiffusionModel : DiffusionModel<StableDiffusionProfile>
{
    private readonly ModelComponent<ClipTextModel>[] _textEncoders;
    private readonly ModelComponent<UNet2DConditionModel> _unet;
    private readonly ModelComponent<AutoencoderKL> _vae;

    private StableDiffusionModel(StableDiffusionProfile profile, ComputeTarget target, MemoryPolicy memory)
        : base(profile, target, memory)
    {
        try
        {
            _textEncoders =
            [
                .. profile.Encoders.Zip(profile.TextConfigs, (encoder, config) =>
                    Components.Load(ModelParts.TextEncoders, encoder.Component, weights => new ClipTextModel(
                        config,
                        weights
                    ))
                ),
            ];
            _unet = Components.Load(ModelParts.Denoiser, "unet", weights => new UNet2DConditionModel(
                profile.UNetConfig,
                weights
            ));
            _vae = Components.Load(
                ModelParts.Autoencoder,
                "vae",
                weights => new AutoencoderKL(profile.VaeConfig, weights, memory.AutoencoderTile),
                profile.AutoencoderTarget(target)
            );
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ITextEncoder> TextEncoders => ClipTextModels;

    internal ClipTokenizer Tokenizer => (ClipTokenizer)Profile.Tokenizer;

    internal IReadOnlyList<ClipTextModel> ClipTextModels => [.. _textEncoders.Select(encoder => encoder.Module)];

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

    /// <summary>
    /// One encoder: its last hidden states. Two (SDXL): the last but one of both, side by side, and the
    /// second's projected output.
    /// </summary>
    /// <inheritdoc/>
    public override Conditioning Condition(
        IReadOnlyList<Tensor> inputIds,
        IReadOnlyList<Tensor?> conceptRows,
        int clipSkip = 1,
        ActivationCheckpoints? checkpoints = null
    )
    {
        using var scope = NewDisposeScope();
        var outputs = ClipTextModels
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
    public override Tensor Predict(
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
    public override LatentDistribution Encode(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var (mean, logVar) = Vae.Encode(pixels.to(VaeDtype, Target.Device));
        return new LatentDistribution(
            mean.to(ScalarType.Float32).MoveToOuterDisposeScope(),
            logVar!.to(ScalarType.Float32).MoveToOuterDisposeScope()
        );
    }

    /// <inheritdoc/>
    public override Tensor Normalize(Tensor latents) => Profile.VaeConfig.Normalize(latents);

    /// <inheritdoc/>
    public override Tensor Decode(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return Vae.Decode(Profile.VaeConfig.Denormalize(latents).to(VaeDtype, Target.Device)).MoveToOuterDisposeScope();
    }
}
