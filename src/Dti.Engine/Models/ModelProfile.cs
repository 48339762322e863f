using System.Collections.Concurrent;
using Dti.Engine.Checkpoints;
using Dti.Engine.Configs;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;

namespace Dti.Engine.Models;

/// <summary>
/// What is known of a model without loading its weights: enough to check a request and to fill in its defaults. Each
/// family has its own. Thread-safe.
/// </summary>
public abstract class ModelProfile
{
    private readonly ConcurrentDictionary<AutoencoderProfile, ModelProfile> _withOther = new();
    private StoredComponents _stored;
    private AutoencoderProfile? _otherAutoencoder;

    /// <summary>Reads what all families have in common.</summary>
    /// <param name="checkpoint">The model's files.</param>
    /// <param name="encoders">Its text encoders.</param>
    /// <param name="noise">Its noise process.</param>
    /// <param name="autoencoder">Its autoencoder's config; null: it has none of that kind.</param>
    /// <param name="published">What the family was published with for training; its folder may say otherwise.</param>
    /// <param name="latentChannels">Of latents of another kind of autoencoder; null: not said.</param>
    /// <exception cref="DtiException">Weights are missing, or the model's notes are not valid.</exception>
    internal ModelProfile(
        Checkpoint checkpoint,
        IReadOnlyList<TextEncoderProfile> encoders,
        NoiseProcessConfig noise,
        AutoencoderKLConfig? autoencoder = null,
        TrainingDefaults? published = null,
        int? latentChannels = null
    )
    {
        (Checkpoint, Encoders, Noise, Autoencoder) = (checkpoint, encoders, noise, autoencoder);
        using var notes = ModelNotes.Read(checkpoint.Path);
        TrainingDefaults = TrainingDefaults.Of(notes, published);
        LatentRgb = LatentRgbFactors.Of(notes, autoencoder, autoencoder?.LatentChannels ?? latentChannels);
        Domain = notes.Domain();
        PhotoEncoder = ReadPhotoEncoder(autoencoder?.LatentChannels ?? latentChannels);
        if (TrainingDefaults.Start == TrainingStart.Photos && PhotoEncoder is null)
        {
            throw notes.Bad($"start is photos, but the model has no folder {PhotoEncoderConfig.Component}");
        }

        _stored = new StoredComponents(AllComponents, OpenWeights);
        LacksAutoencoder = checkpoint.Layout.Autoencoder is { } vae && _stored.ElementsOf(vae) == 0;
    }

    /// <summary>The folder's name, or the file's without its ending.</summary>
    public string Name => Checkpoint.Name;

    /// <summary>The folder, or the single file.</summary>
    public string Path => Checkpoint.Path;

    /// <summary>Which models its concepts work with: <c>sd1</c>, <c>sd2</c>, <c>sdxl</c>, ….</summary>
    public abstract string Family { get; }

    /// <summary>Side in pixels that the model was made for.</summary>
    public abstract int Resolution { get; }

    /// <summary>How its latents are shaped.</summary>
    public abstract LatentShape Latents { get; }

    /// <summary>
    /// The most layers from the last that a text encoder can be stopped at (A1111's "clip skip"), from 1; 1: always the
    /// model's own.
    /// </summary>
    public abstract int MaxClipSkip { get; }

    /// <summary>Whether zeros stand for a negative prompt that is not given, instead of the empty text.</summary>
    public virtual bool ForcesZerosForEmptyPrompt => false;

    /// <summary>The single-file layout that models of its kind have; null: none.</summary>
    public virtual SingleFileLayout? SingleFile => null;

    /// <summary>The working memory that it needs in addition to its weights.</summary>
    public abstract IFootprint Footprint { get; }

    /// <summary>Its text encoders, one for each set of a concept's vectors.</summary>
    public IReadOnlyList<TextEncoderProfile> Encoders { get; }

    /// <summary>Width d of the token embeddings of the first text encoder.</summary>
    public int EmbeddingDimension => Encoders[0].Dimension;

    /// <summary>The tokenizer of the first text encoder.</summary>
    public ITokenizer Tokenizer => Encoders[0].Tokenizer;

    /// <summary>The noise process that it was trained with, and the sampler that it was published with.</summary>
    public NoiseProcessConfig Noise { get; }

    /// <summary>What its folder, or else its family, says of training with it.</summary>
    public TrainingDefaults TrainingDefaults { get; }

    /// <summary>
    /// All that the model knows, a noun phrase, where its folder declares that; null: photographs in general.
    /// </summary>
    public string? Domain { get; }

    /// <summary>
    /// Whether it has a photo encoder, so that training can start from the photos (<see
    /// cref="TrainingStart.Photos"/>).
    /// </summary>
    public bool HasPhotoEncoder => PhotoEncoder is not null;

    /// <summary>Whether it has no autoencoder, so that it is used with another one (<see cref="With"/>) only.</summary>
    public bool LacksAutoencoder { get; private set; }

    /// <summary>Bytes of the weights on disk.</summary>
    public long SizeBytes => _stored.Bytes;

    /// <summary>
    /// What its denoiser is stored in: <c>fp32</c>, <c>fp16</c>, <c>bf16</c>, <c>fp8_e4m3</c> or <c>fp8_e5m2</c>.
    /// </summary>
    public string StoredDtype => _stored.DtypeOf(Checkpoint.Layout.Denoiser);

    /// <summary>Norms of the first text encoder's vocabulary; read from disk when first asked for.</summary>
    /// <exception cref="DtiException">The weights cannot be read.</exception>
    public VocabularyNorms VocabularyNorms => Encoders[0].VocabularyNorms;

    internal Checkpoint Checkpoint { get; }

    /// <summary>How its latents look; null: that is not known.</summary>
    internal LatentRgbFactors? LatentRgb { get; }

    /// <summary>Its autoencoder's config; null: it has none of that kind.</summary>
    internal AutoencoderKLConfig? Autoencoder { get; private set; }

    /// <summary>The config of its photo encoder; null: it has none.</summary>
    internal PhotoEncoderConfig? PhotoEncoder { get; }

    private IEnumerable<string> AllComponents =>
        HasPhotoEncoder ? [.. Checkpoint.Components, PhotoEncoderConfig.Component] : Checkpoint.Components;

    /// <summary>Reads the weights, each byte once, straight into tensors of the target's dtype.</summary>
    /// <param name="target">Where it is to compute.</param>
    /// <param name="memory">What to trade for memory; null: nothing.</param>
    /// <exception cref="DtiException">A file is missing or corrupt, a tensor is missing, extra or of a wrong
    /// shape.</exception>
    public abstract IDiffusionModel Load(ComputeTarget target, MemoryPolicy? memory = null);

    /// <summary>Prepares the sampling of an image.</summary>
    /// <param name="name">One of the noise process's samplers.</param>
    /// <param name="steps">Sampling steps, 1 or more.</param>
    /// <param name="prediction">What the model predicts.</param>
    /// <param name="width">Pixels; some families spread noise levels by it.</param>
    /// <param name="height">Pixels.</param>
    /// <exception cref="DtiException">More steps than the process has.</exception>
    public virtual IScheduler CreateSampler(string name, int steps, PredictionType prediction, int width, int height) =>
        (Noise with { PredictionType = prediction }).CreateSampler(name, steps);

    /// <summary>
    /// The size that the model was trained with whose sides have the nearest ratio; the size itself where the family
    /// knows none.
    /// </summary>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public virtual (int Width, int Height) TrainedSize(int width, int height) => (width, height);

    /// <summary>This model with another autoencoder; the same profile each time.</summary>
    /// <exception cref="DtiException">The autoencoder does not go with it.</exception>
    public ModelProfile With(AutoencoderProfile vae) => _withOther.GetOrAdd(vae, _ =>
        {
            var other = (ModelProfile)MemberwiseClone();
            (other.Autoencoder, other._otherAutoencoder, other.LacksAutoencoder) = (vae.ConfigFor(this), vae, false);
            other._stored = new StoredComponents(AllComponents, other.OpenWeights);
            return other;
        });

    /// <summary>Loads the photo encoder in fp32. The caller disposes of it.</summary>
    /// <param name="device">Where it computes.</param>
    /// <exception cref="InvalidOperationException">The model has none.</exception>
    /// <exception cref="DtiException">Its file cannot be read.</exception>
    internal ModelComponent<PhotoEncoder> LoadPhotoEncoder(TorchSharp.torch.Device device)
    {
        var config = PhotoEncoder ?? throw new InvalidOperationException($"{Name} has no photo encoder.");
        using var weights = OpenWeights(PhotoEncoderConfig.Component);
        return new ModelComponent<PhotoEncoder>(
            weights,
            new ComputeTarget(device, TorchSharp.torch.ScalarType.Float32),
            MemoryPolicy.High,
            scope => new PhotoEncoder(config, scope)
        );
    }

    /// <summary>Bytes of the weights as a model holds them that computes there.</summary>
    /// <param name="target">Where it is to compute.</param>
    public long HeldBytes(ComputeTarget target) => _stored.Names.Sum(component => HeldBytes(target, component));

    /// <summary>
    /// Of that, what training keeps a second time, transposed for the backward pass: all that gradients go through.
    /// </summary>
    /// <param name="target">Where it is to compute.</param>
    public long TransposedBytes(ComputeTarget target) =>
        _stored
            .Names.Where(component =>
                component != Checkpoint.Layout.Autoencoder && target.PacksWeights(_stored.ElementsOf(component))
            )
            .Sum(component => HeldBytes(target, component));

    /// <summary>Where the autoencoder computes: in fp32 where its config forces that.</summary>
    internal ComputeTarget AutoencoderTarget(ComputeTarget target) =>
        Autoencoder is { ForceUpcast: true } ? new(target.Device, TorchSharp.torch.ScalarType.Float32) : target;

    /// <summary>The weights of a component.</summary>
    /// <exception cref="DtiException">They are missing or not valid.</exception>
    internal ComponentWeights OpenWeights(string component) =>
        component == Checkpoint.Layout.Autoencoder && _otherAutoencoder is { } vae
            ? vae.OpenWeights(Autoencoder!)
            : Checkpoint.OpenWeights(component);

    /// <summary>
    /// Checks by headers alone that a component's module finds its weights, and no others: what loading checks.
    /// </summary>
    /// <param name="component">The component.</param>
    /// <param name="build">Builds its module.</param>
    /// <exception cref="DtiException">A tensor is missing, extra or of a wrong shape.</exception>
    internal void EnsureLoads(string component, Func<WeightScope, object> build)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var weights = OpenWeights(component);
        var source = new HeaderWeightSource(weights);
        _ = build(new WeightScope(source));
        source.EnsureAllTaken();
    }

    /// <summary>A component's config, whose errors name the model and the file.</summary>
    internal static ComponentConfig Config(Checkpoint checkpoint, string component) =>
        new($"{checkpoint.Name}/{component}/config.json", checkpoint.ReadConfig(component));

    /// <summary>Reads the config of the photo encoder, if there is one, and checks that it fits the model.</summary>
    private PhotoEncoderConfig? ReadPhotoEncoder(int? latentChannels)
    {
        if (!Checkpoint.Holds(PhotoEncoderConfig.Component))
        {
            return null;
        }

        var config = PhotoEncoderConfig.Parse(Config(Checkpoint, PhotoEncoderConfig.Component));
        int[] widths = [.. Encoders.Select(encoder => encoder.Dimension)];
        if (config.InChannels != latentChannels || !config.EmbeddingDims.SequenceEqual(widths))
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{Name}/{PhotoEncoderConfig.Component}: in_channels {config.InChannels} and embedding_dims {string.Join(", ", config.EmbeddingDims)} do not fit the model, "
                    + $"which has {latentChannels} latent channels and embeddings of width {string.Join(", ", widths)}."
            );
        }

        EnsureLoads(PhotoEncoderConfig.Component, weights => new PhotoEncoder(config, weights));
        return config;
    }

    private long HeldBytes(ComputeTarget target, string component)
    {
        var (elements, own) = (
            _stored.ElementsOf(component),
            component == Checkpoint.Layout.Autoencoder ? AutoencoderTarget(target) : target
        );
        return elements * (own.PacksWeights(elements) ? own.HeldSize : own.ElementSize);
    }
}
