using System.Collections.Concurrent;
using Dti.Engine.Checkpoints;
using Dti.Engine.Configs;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// What is known of a model without loading its weights: enough to check a request and to fill in its defaults. Thread-safe.
/// </summary>
public sealed class ModelProfile
{
    private readonly ConcurrentDictionary<AutoencoderProfile, ModelProfile> _withOther = new();
    private Dictionary<string, StoredWeights> _stored;
    private AutoencoderProfile? _otherVae;

    private ModelProfile(Checkpoint checkpoint)
    {
        Checkpoint = checkpoint;
        Encoders = [.. checkpoint.TextEncoders.Select((component, i) => new TextEncoderProfile(checkpoint, component, ClipTextConfig.Parse(Config(component), projection: i == 1)))];
        UNetConfig = UNet2DConditionConfig.Parse(Config("unet"));
        VaeConfig = AutoencoderKLConfig.Parse(Config("vae"));
        Scheduler = SchedulerConfig.Parse(checkpoint.ReadConfig("scheduler"));
        using var notes = ModelNotes.Read(checkpoint.Path);
        TrainingDefaults = TrainingDefaults.Of(notes);
        LatentRgb = LatentRgbFactors.Of(notes, VaeConfig);
        _stored = checkpoint.Components.ToDictionary(component => component, Stored);
        if (Encoders.Sum(encoder => encoder.Dimension) != UNetConfig.CrossAttentionDim || Encoders.Any(encoder => encoder.Config.VocabSize < encoder.Tokenizer.VocabularySize))
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{Name}: the text encoder ({Texts(encoder => encoder.Dimension)} wide, {Texts(encoder => encoder.Config.VocabSize)} tokens) does not go with the UNet " +
                $"({UNetConfig.CrossAttentionDim}) and the tokenizer ({Texts(encoder => encoder.Tokenizer.VocabularySize)} tokens).");
        }

        var added = UNetConfig.AdditionTimeEmbedDim == 0 ? 0 : Encoders[^1].Config.ProjectionDim + (6 * UNetConfig.AdditionTimeEmbedDim);
        if ((Encoders.Count > 1) != (added > 0) || added != UNetConfig.AdditionInputDim)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{Name}: a UNet with {UNetConfig.AdditionInputDim} added values does not go with {Encoders.Count} text encoder(s), which give {added}. " +
                "The SDXL refiner is not supported.");
        }

        if (UNetConfig.InChannels != VaeConfig.LatentChannels || UNetConfig.OutChannels != VaeConfig.LatentChannels)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{Name}: the UNet takes {UNetConfig.InChannels} channels and gives {UNetConfig.OutChannels}, the autoencoder's latents have " +
                $"{VaeConfig.LatentChannels}. Models for inpainting, depth or upscaling are not supported.");
        }
    }

    /// <summary>The folder's name, or the file's without its ending.</summary>
    public string Name => Checkpoint.Name;

    /// <summary>The folder, or the single file.</summary>
    public string Path => Checkpoint.Path;

    /// <summary>
    /// <c>sd1</c>, <c>sd2</c> or <c>sdxl</c>: Stable Diffusion 1.x with OpenAI's text encoder, 2.x with OpenCLIP's (told by its activation), XL
    /// with both.
    /// </summary>
    public string Family => Encoders.Count > 1 ? "sdxl" : TextConfig.QuickGelu ? "sd1" : "sd2";

    /// <summary>Side in pixels that the model was made for.</summary>
    public int Resolution => UNetConfig.SampleSize * VaeConfig.ScaleFactor;

    /// <summary>Its text encoders: one, two for SDXL.</summary>
    public IReadOnlyList<TextEncoderProfile> Encoders { get; }

    /// <summary>Width d of the token embeddings of the first text encoder.</summary>
    public int EmbeddingDimension => Encoders[0].Dimension;

    /// <summary>The tokenizer of the first text encoder.</summary>
    public ClipTokenizer Tokenizer => Encoders[0].Tokenizer;

    /// <summary>The scheduler that the model was published with.</summary>
    public SchedulerConfig Scheduler { get; }

    /// <summary>What its folder says of training with it.</summary>
    public TrainingDefaults TrainingDefaults { get; }

    /// <summary>Bytes of the weights on disk.</summary>
    public long SizeBytes => _stored.Values.Sum(weights => weights.Bytes);

    /// <summary>What its UNet is stored in: <c>fp32</c>, <c>fp16</c>, <c>bf16</c>, <c>fp8_e4m3</c> or <c>fp8_e5m2</c>.</summary>
    public string StoredDtype => _stored["unet"].Dtype;

    /// <summary>Norms of the first text encoder's vocabulary; read from disk when first asked for.</summary>
    /// <exception cref="DtiException">The weights cannot be read.</exception>
    public VocabularyNorms VocabularyNorms => Encoders[0].VocabularyNorms;

    internal Checkpoint Checkpoint { get; }

    /// <summary>How its latents look; null: that is not known.</summary>
    internal LatentRgbFactors? LatentRgb { get; }

    internal ClipTextConfig TextConfig => Encoders[0].Config;

    internal UNet2DConditionConfig UNetConfig { get; }

    internal AutoencoderKLConfig VaeConfig { get; private set; }

    /// <summary>Where the autoencoder computes: in fp32 where its config forces that.</summary>
    internal ComputeTarget VaeTarget(ComputeTarget target) => VaeConfig.ForceUpcast ? new(target.Device, ScalarType.Float32) : target;

    /// <summary>Reads configs, tokenizer and weight headers.</summary>
    /// <param name="path">A model folder in the diffusers layout, or a single file in the original one.</param>
    /// <exception cref="DtiException">It is neither, or not of a supported kind; the message names file and key.</exception>
    public static ModelProfile Read(string path) => Of(Checkpoint.Open(path));

    /// <summary>As <see cref="Read"/>.</summary>
    public static ModelProfile Of(Checkpoint checkpoint) => new(checkpoint);

    /// <summary>This model with another autoencoder; the same profile each time.</summary>
    /// <exception cref="DtiException">The autoencoder does not go with it.</exception>
    public ModelProfile With(AutoencoderProfile vae) => _withOther.GetOrAdd(vae, _ =>
    {
        var other = (ModelProfile)MemberwiseClone();
        (other.VaeConfig, other._otherVae) = (vae.ConfigFor(this), vae);
        other._stored = new(_stored) { ["vae"] = other.Stored("vae") };
        return other;
    });

    /// <summary>Bytes of the weights as a model holds them that computes there.</summary>
    /// <param name="target">Where it is to compute.</param>
    public long HeldBytes(ComputeTarget target) => _stored.Keys.Sum(component => HeldBytes(target, component));

    /// <summary>Of that, what training keeps a second time, transposed for the way back.</summary>
    /// <param name="target">Where it is to compute.</param>
    public long TransposedBytes(ComputeTarget target) =>
        _stored.Where(weights => weights.Key != "vae" && target.PacksWeights(weights.Value.Elements)).Sum(weights => HeldBytes(target, weights.Key));

    /// <summary>The weights of a component.</summary>
    /// <exception cref="DtiException">They are missing or not valid.</exception>
    internal ComponentWeights OpenWeights(string component) =>
        component == "vae" && _otherVae is { } vae ? vae.OpenWeights(VaeConfig) : Checkpoint.OpenWeights(component);

    private ComponentConfig Config(string component) => new($"{Name}/{component}/config.json", Checkpoint.ReadConfig(component));

    private StoredWeights Stored(string component)
    {
        using var weights = OpenWeights(component);
        return new StoredWeights(weights.TotalBytes, weights.TotalElements, weights.StoredDtype);
    }

    private long HeldBytes(ComputeTarget target, string component)
    {
        var (elements, own) = (_stored[component].Elements, component == "vae" ? VaeTarget(target) : target);
        return elements * (own.PacksWeights(elements) ? own.HeldSize : own.ElementSize);
    }

    private string Texts(Func<TextEncoderProfile, int> number) => string.Join(" + ", Encoders.Select(number));

    /// <summary>The weights of a component on disk.</summary>
    private sealed record StoredWeights(long Bytes, long Elements, string Dtype);
}
