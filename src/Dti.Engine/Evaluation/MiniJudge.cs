using Dti.Engine.Checkpoints;
using Dti.Engine.Configs;
using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Evaluation;

/// <summary>
/// The judge of dti-mini: an image–text encoder for 128 × 128 images that shares no weight with the generator
/// (<c>models/dti-mini-judge</c>). The heads that read single objects and designs serve the studies of dti-mini alone
/// and are not loaded.
/// </summary>
internal sealed class MiniJudge : IImageTextEncoder, IWeightSource
{
    /// <summary>Width of the space that images and texts share.</summary>
    public const int Width = 128;

    private const int Side = 128;
    private readonly SafetensorsFile _file;
    private readonly List<Tensor> _weights = [];
    private readonly ClipTokenizer _tokenizer;
    private readonly MiniImageEncoder _image;
    private readonly ClipTextModel _text;
    private readonly Linear _imageProjection;
    private readonly Linear _textProjection;
    private readonly double _logitScale;

    private MiniJudge(string folder, string tokenizer)
    {
        _tokenizer = ClipTokenizer.Load(tokenizer);
        _file = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        var weights = new WeightScope(this);
        _image = new MiniImageEncoder(weights.Sub("visual"), patches: true);
        _text = new ClipTextModel(TextConfig(_tokenizer.VocabularySize), weights);
        _imageProjection = new Linear(
            weights.Sub("visual_projection"),
            MiniImageEncoder.CoarseChannels * 4,
            Width,
            bias: false
        );
        _textProjection = new Linear(weights.Sub("text_projection"), Width, Width, bias: false);
        _logitScale = Math.Min(100, Math.Exp(10 * weights.Take("logit_scale", 1).item<float>()));
    }

    /// <summary>Tokens of its vocabulary.</summary>
    public int Vocabulary => _tokenizer.VocabularySize;

    /// <summary>
    /// Loads a folder: <c>config.json</c> names the tokenizer's, <c>model.safetensors</c> holds the weights.
    /// </summary>
    /// <exception cref="DtiException">A file is missing or not valid.</exception>
    public static MiniJudge Load(string folder, ComponentConfig config) =>
        new(folder, Path.Combine(folder, config.String("tokenizer", "tokenizer")));

    /// <summary>The text encoder's sizes, which the judge's training uses too.</summary>
    /// <param name="vocabulary">Tokens.</param>
    public static ClipTextConfig TextConfig(int vocabulary) =>
        new()
        {
            VocabSize = vocabulary,
            HiddenSize = Width,
            IntermediateSize = 2 * Width,
            NumHiddenLayers = 2,
            NumAttentionHeads = 4,
            MaxPositionEmbeddings = 77,
            QuickGelu = true,
            LayerNormEps = 1e-5,
            EosTokenId = vocabulary - 1,
        };

    /// <inheritdoc/>
    public Tensor EncodeImages(IReadOnlyList<RgbImage> images) => FeatureBatches.Of(images, batch =>
        {
            var pixels = stack(batch.Select(image => PillowResize.Resize(image, Side, Side).ToTensor()));
            return _imageProjection.Forward(F.avg_pool2d(F.silu(_image.Forward(pixels).Coarse), [4, 4]).flatten(1));
        });

    /// <inheritdoc/>
    public Tensor EncodeTexts(IReadOnlyList<string> prompts) =>
        FeatureBatches.OfTexts(
            prompts,
            prompt => _tokenizer.Tokenize(prompt).InputIds,
            ids => _textProjection.Forward(_text.Forward(ids).PooledOutput)
        );

    /// <inheritdoc/>
    public Tensor Score(Tensor imageFeatures, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        return (Similarity.Cosine(imageFeatures, textFeatures) * _logitScale).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public bool Contains(string name) => _file.Tensors.ContainsKey(name);

    /// <inheritdoc/>
    public Tensor Take(string name, long[] shape)
    {
        if (!_file.Tensors.TryGetValue(name, out var entry) || !entry.Shape.SequenceEqual(shape))
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{_file.Path} is not the judge of dti-mini: '{name}' is {(entry is null ? "missing" : entry.ShapeText)}."
            );
        }

        using var stored = _file.Read(name);
        var weight = stored.to(ScalarType.Float32, copy: true).DetachFromDisposeScope();
        _weights.Add(weight);
        return weight;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _weights.ForEach(weight => weight.Dispose());
        _file.Dispose();
    }
}
