using Dti.Engine.Checkpoints;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>What is known of a SANA model without loading its weights. Thread-safe.</summary>
public sealed class SanaProfile : ModelProfile
{
    internal SanaProfile(Checkpoint checkpoint)
        : this(
            checkpoint,
            Gemma2Config.Parse(Config(checkpoint, "text_encoder")),
            AutoencoderDCConfig.Parse(Config(checkpoint, "vae"))
        ) { }

    private SanaProfile(Checkpoint checkpoint, Gemma2Config text, AutoencoderDCConfig vae)
        : base(
            checkpoint,
            [
                new TextEncoderProfile(
                    checkpoint,
                    "text_encoder",
                    new TokenEmbeddings(text.VocabSize, text.HiddenSize, "embed_tokens.weight"),
                    SanaFamily.EmbeddingKey
                )
                {
                    Notes = $"attention softcapping {(text.Softcap is null ? "off" : "on")}",
                },
            ],
            FlowMatchingConfig.Parse(checkpoint.ReadConfig("scheduler")),
            published: new TrainingDefaults(Kappa: 5e-5, WeightDecay: 0),
            latentChannels: vae.LatentChannels
        )
    {
        TextConfig = text;
        TransformerConfig = SanaTransformerConfig.Parse(Config(checkpoint, "transformer"));
        VaeConfig = vae;
        EnsureComponentsFit();
        EnsureLoads("text_encoder", weights => new Gemma2Model(TextConfig, weights));
        EnsureLoads("transformer", weights => new SanaTransformer2DModel(TransformerConfig, weights));
        EnsureLoads("vae", weights => new AutoencoderDC(VaeConfig, weights));
    }

    /// <summary><c>sana</c>.</summary>
    public override string Family => SanaFamily.Name;

    /// <inheritdoc/>
    public override int Resolution => TransformerConfig.SampleSize * VaeConfig.ScaleFactor;

    /// <inheritdoc/>
    public override LatentShape Latents => new(VaeConfig.LatentChannels, VaeConfig.ScaleFactor);

    /// <summary>Always the last layer.</summary>
    public override int MaxClipSkip => 1;

    /// <inheritdoc/>
    public override IFootprint Footprint => new SanaFootprint(this);

    /// <summary>
    /// The side ratios that SANA was trained with, where its pipeline has a table for the model's resolution.
    /// </summary>
    public override (int Width, int Height) TrainedSize(int width, int height) =>
        SanaResolutions.Nearest(Resolution, width, height) ?? (width, height);

    internal Gemma2Config TextConfig { get; }

    internal SanaTransformerConfig TransformerConfig { get; }

    internal AutoencoderDCConfig VaeConfig { get; }

    /// <inheritdoc/>
    public override IDiffusionModel Load(ComputeTarget target, MemoryPolicy? memory = null) =>
        SanaModel.Load(this, target, memory);

    private void EnsureComponentsFit()
    {
        var (tokens, side) = (Tokenizer.VocabularySize, TransformerConfig.PatchSize);
        if (TextConfig.HiddenSize != TransformerConfig.CaptionChannels || TextConfig.VocabSize < tokens)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{Name}: the text encoder ({TextConfig.HiddenSize} wide, {TextConfig.VocabSize} tokens) does not go with the transformer "
                    + $"({TransformerConfig.CaptionChannels}) and the tokenizer ({tokens} tokens)."
            );
        }

        if (TransformerConfig.Channels != VaeConfig.LatentChannels || side != 1)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{Name}: the transformer takes {TransformerConfig.Channels} channels in patches of {side}, the autoencoder's latents have "
                    + $"{VaeConfig.LatentChannels} channels. Only models with patches of one latent and as many channels are supported."
            );
        }
    }
}
