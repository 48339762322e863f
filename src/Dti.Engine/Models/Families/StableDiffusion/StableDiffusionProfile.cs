using Dti.Engine.Checkpoints;
using Dti.Engine.Runtime.Devices;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>What is known of a Stable Diffusion model without loading its weights. Thread-safe.</summary>
public sealed class StableDiffusionProfile : ModelProfile
{
    private const int SizeConditions = 6; // SDXL's time ids: sizes and crop
    private readonly ClipTextConfig[] _texts;

    internal StableDiffusionProfile(Checkpoint checkpoint)
        : this(
            checkpoint,
            [
                .. checkpoint.TextEncoders.Select(
                    (component, i) => ClipTextConfig.Parse(Config(checkpoint, component), projection: i == 1)
                ),
            ]
        ) { }

    private StableDiffusionProfile(Checkpoint checkpoint, ClipTextConfig[] texts)
        : base(
            checkpoint,
            [
                .. checkpoint.TextEncoders.Select(
                    (component, i) =>
                        new TextEncoderProfile(checkpoint, component, texts[i].Embeddings, KeyOf(component))
                ),
            ],
            StableDiffusionNoise.Parse(checkpoint.ReadConfig("scheduler")),
            AutoencoderKLConfig.Parse(Config(checkpoint, "vae"))
        )
    {
        _texts = texts;
        UNetConfig = UNet2DConditionConfig.Parse(Config(checkpoint, "unet"));
        EnsureComponentsFit();
        foreach (var (encoder, config) in Encoders.Zip(texts))
        {
            EnsureLoads(encoder.Component, weights => new ClipTextModel(config, weights));
        }

        EnsureLoads("unet", weights => new UNet2DConditionModel(UNetConfig, weights));
        if (!LacksAutoencoder)
        {
            EnsureLoads("vae", weights => new AutoencoderKL(VaeConfig, weights));
        }
    }

    /// <summary>
    /// <c>sd1</c>, <c>sd2</c> or <c>sdxl</c>: Stable Diffusion 1.x with OpenAI's text encoder, 2.x with OpenCLIP's
    /// (told by its activation), XL with both.
    /// </summary>
    public override string Family =>
        IsXL ? "sdxl"
        : TextConfig.QuickGelu ? "sd1"
        : "sd2";

    /// <inheritdoc/>
    public override int Resolution => UNetConfig.SampleSize * VaeConfig.ScaleFactor;

    /// <inheritdoc/>
    public override LatentShape Latents => new(VaeConfig.LatentChannels, VaeConfig.ScaleFactor);

    /// <summary>XL always takes the last layer but one of both encoders.</summary>
    public override int MaxClipSkip => IsXL ? 1 : Math.Min(12, TextConfig.NumHiddenLayers);

    /// <inheritdoc/>
    public override bool ForcesZerosForEmptyPrompt => StableDiffusionPipelines.ForcesZeros(Checkpoint);

    /// <inheritdoc/>
    public override SingleFileLayout SingleFile => OriginalFamily.Named(Family);

    /// <inheritdoc/>
    public override IFootprint Footprint => new StableDiffusionFootprint(this);

    /// <summary>Whether the UNet has added conditioning: sizes and a pooled text state.</summary>
    internal bool IsXL => _texts.Length > 1;

    internal ClipTextConfig TextConfig => _texts[0];

    internal IReadOnlyList<ClipTextConfig> TextConfigs => _texts;

    internal UNet2DConditionConfig UNetConfig { get; }

    internal AutoencoderKLConfig VaeConfig => Autoencoder!;

    /// <inheritdoc/>
    public override IDiffusionModel Load(ComputeTarget target, MemoryPolicy? memory = null) =>
        StableDiffusionModel.Load(this, target, memory);

    private static string KeyOf(string component) => component == "text_encoder" ? "clip_l" : "clip_g";

    private void EnsureComponentsFit()
    {
        if (
            _texts.Sum(text => text.HiddenSize) != UNetConfig.CrossAttentionDim
            || Encoders.Zip(_texts).Any(pair => pair.Second.VocabSize < pair.First.Tokenizer.VocabularySize)
        )
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{Name}: the text encoder ({Texts(text => text.HiddenSize)} wide, {Texts(text => text.VocabSize)} tokens) does not go with the UNet "
                    + $"({UNetConfig.CrossAttentionDim}) and the tokenizer ({string.Join(" + ", Encoders.Select(encoder => encoder.Tokenizer.VocabularySize))} tokens)."
            );
        }

        var added =
            UNetConfig.AdditionTimeEmbedDim == 0
                ? 0
                : _texts[^1].ProjectionDim + (SizeConditions * UNetConfig.AdditionTimeEmbedDim);
        if (IsXL != (added > 0) || added != UNetConfig.AdditionInputDim)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{Name}: a UNet with {UNetConfig.AdditionInputDim} added values does not go with {_texts.Length} text encoder(s), which give {added}. "
                    + "The SDXL refiner is not supported."
            );
        }

        if (UNetConfig.InChannels != VaeConfig.LatentChannels || UNetConfig.OutChannels != VaeConfig.LatentChannels)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{Name}: the UNet takes {UNetConfig.InChannels} channels and gives {UNetConfig.OutChannels}, the autoencoder's latents have "
                    + $"{VaeConfig.LatentChannels}. Models for inpainting, depth or upscaling are not supported."
            );
        }
    }

    private string Texts(Func<ClipTextConfig, int> number) => string.Join(" + ", _texts.Select(number));
}
