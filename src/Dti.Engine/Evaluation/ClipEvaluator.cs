using Dti.Engine.Configs;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>CLIP with its tokenizer and preprocessing.</summary>
internal sealed class ClipEvaluator : ImageEncoder<ClipModel>, IImageTextEncoder
{
    private readonly ClipTokenizer _tokenizer;

    private ClipEvaluator(
        string folder,
        ClipTokenizer tokenizer,
        ImagePreprocessor preprocessor,
        ComputeTarget target,
        Func<WeightScope, ClipModel> build
    )
        : base(folder, preprocessor, target, build) => _tokenizer = tokenizer;

    /// <inheritdoc cref="Evaluator.Load"/>
    public static ClipEvaluator Load(string folder, ComponentConfig config, ComputeTarget target)
    {
        // The towers' own projection_dim is not used by transformers either.
        var text = ClipTextConfig.Parse(config.Section("text_config")) with
        {
            ProjectionDim = config.Int("projection_dim", 512, 1, 16_384),
        };
        var vision = VisionConfig.Parse(
            config.Section("vision_config"),
            new VisionConfig(
                new TransformerConfig(768, 3072, 12, 12, Activation.QuickGelu, 1e-5),
                ImageSize: 224,
                PatchSize: 32
            )
        );
        var tokenizer = ClipTokenizer.Load(folder);
        if (tokenizer.VocabularySize > text.VocabSize || tokenizer.ModelMaxLength > text.MaxPositionEmbeddings)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{folder}: its tokenizer has {tokenizer.VocabularySize} tokens and gives {tokenizer.ModelMaxLength} ids; the text_config of config.json says {text.VocabSize} and {text.MaxPositionEmbeddings}."
            );
        }

        return new ClipEvaluator(
            folder,
            tokenizer,
            ImagePreprocessor.Load(folder).EnsureSize(folder, vision.ImageSize),
            target,
            weights => new ClipModel(text, vision, weights)
        );
    }

    /// <inheritdoc/>
    public Tensor EncodeTexts(IReadOnlyList<string> prompts) =>
        EncodeTexts(prompts, prompt => _tokenizer.Tokenize(prompt).InputIds, Model.TextFeatures);

    /// <inheritdoc/>
    public Tensor Score(Tensor imageFeatures, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        return (Similarity.Cosine(imageFeatures, textFeatures) * Model.LogitScale).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override Tensor Features(Tensor pixelValues) => Model.ImageFeatures(pixelValues);
}
