using Dti.Engine.Checkpoints;
using Dti.Engine.Concepts;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using TorchSharp;

namespace Dti.Engine.Models;

/// <summary>Norms of a vocabulary's token embeddings, over the rows that are not zero.</summary>
/// <param name="Min">The smallest.</param>
/// <param name="Mean">The mean: DTI's magnitude.</param>
/// <param name="Max">The largest.</param>
public sealed record VocabularyNorms(double Min, double Mean, double Max);

/// <summary>
/// What is known of a model without loading its weights: enough to check a request and to fill in its defaults. Thread-safe.
/// </summary>
public sealed class ModelProfile
{
    private readonly Lazy<VocabularyNorms> _vocabularyNorms;

    private ModelProfile(Checkpoint checkpoint)
    {
        Checkpoint = checkpoint;
        TextConfig = ClipTextConfig.Parse(Config("text_encoder"));
        UNetConfig = UNet2DConditionConfig.Parse(Config("unet"));
        VaeConfig = AutoencoderKLConfig.Parse(Config("vae"));
        Scheduler = SchedulerConfig.Parse(checkpoint.ReadConfig("scheduler"));
        Tokenizer = checkpoint.LoadTokenizer();
        SizeBytes = WeightBytes("text_encoder") + WeightBytes("unet") + WeightBytes("vae");
        _vocabularyNorms = new Lazy<VocabularyNorms>(ReadVocabularyNorms);
        if (TextConfig.HiddenSize != UNetConfig.CrossAttentionDim || TextConfig.VocabSize < Tokenizer.VocabularySize)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{Name}: the text encoder ({TextConfig.HiddenSize} wide, {TextConfig.VocabSize} tokens) does not go with the UNet " +
                $"({UNetConfig.CrossAttentionDim}) and the tokenizer ({Tokenizer.VocabularySize} tokens).");
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

    /// <summary><c>sd1</c> or <c>sd2</c>: Stable Diffusion 1.x with OpenAI's text encoder, 2.x with OpenCLIP's, told by its activation.</summary>
    public string Family => TextConfig.QuickGelu ? "sd1" : "sd2";

    /// <summary>Side in pixels that the model was made for.</summary>
    public int Resolution => UNetConfig.SampleSize * VaeConfig.ScaleFactor;

    /// <summary>Width d of the token embeddings.</summary>
    public int EmbeddingDimension => TextConfig.HiddenSize;

    /// <summary>The tokenizer.</summary>
    public ClipTokenizer Tokenizer { get; }

    /// <summary>The scheduler that the model was published with.</summary>
    public SchedulerConfig Scheduler { get; }

    /// <summary>Bytes of the weights on disk.</summary>
    public long SizeBytes { get; }

    /// <summary>Norms of the vocabulary; read from disk when first asked for.</summary>
    /// <exception cref="DtiException">The weights cannot be read.</exception>
    public VocabularyNorms VocabularyNorms => _vocabularyNorms.Value;

    internal Checkpoint Checkpoint { get; }

    internal ClipTextConfig TextConfig { get; }

    internal UNet2DConditionConfig UNetConfig { get; }

    internal AutoencoderKLConfig VaeConfig { get; }

    /// <summary>Reads configs, tokenizer and weight headers.</summary>
    /// <param name="path">A model folder in the diffusers layout, or a single file in the original one.</param>
    /// <exception cref="DtiException">It is neither, or not of a supported kind; the message names file and key.</exception>
    public static ModelProfile Read(string path) => Of(Checkpoint.Open(path));

    /// <summary>As <see cref="Read"/>.</summary>
    public static ModelProfile Of(Checkpoint checkpoint) => new(checkpoint);

    /// <summary>Checks that a concept was made for this kind of model.</summary>
    /// <exception cref="DtiException">It was not.</exception>
    public void EnsureFits(ConceptEmbedding concept)
    {
        if (concept.Encoders.Count != 1 || concept.Encoders[0].Dimension != EmbeddingDimension)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{concept.Placeholder} has vectors of width {string.Join(" + ", concept.Encoders.Select(e => e.Dimension))}; " +
                $"model {Name} needs {EmbeddingDimension}. A concept works with models of the family it was learnt with.");
        }
    }

    private ComponentConfig Config(string component) => new($"{Name}/{component}/config.json", Checkpoint.ReadConfig(component));

    private long WeightBytes(string component)
    {
        using var weights = Checkpoint.OpenWeights(component);
        return weights.TotalBytes;
    }

    private VocabularyNorms ReadVocabularyNorms()
    {
        using var scope = torch.NewDisposeScope();
        using var weights = Checkpoint.OpenWeights("text_encoder");
        var embedding = torch.empty([TextConfig.VocabSize, TextConfig.HiddenSize], torch.ScalarType.Float32);
        weights.ReadInto("text_model.embeddings.token_embedding.weight", embedding);
        var norms = embedding.norm(1, keepdim: false, p: 2f);
        norms = norms[norms.gt(0)];
        return new VocabularyNorms(norms.min().item<float>(), norms.mean().item<float>(), norms.max().item<float>());
    }
}
