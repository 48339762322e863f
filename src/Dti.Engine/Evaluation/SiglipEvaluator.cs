using Dti.Engine.Configs;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>SigLIP with its tokenizer and preprocessing.</summary>
internal sealed class SiglipEvaluator : ImageEncoder<SiglipModel>, IImageTextEncoder
{
    private readonly SiglipTokenizer _tokenizer;

    private SiglipEvaluator(
        string folder,
        SiglipTokenizer tokenizer,
        ImagePreprocessor preprocessor,
        ComputeTarget target,
        Func<WeightScope, SiglipModel> build
    )
        : base(folder, preprocessor, target, build) => _tokenizer = tokenizer;

    /// <inheritdoc cref="Evaluator.Load"/>
    public static SiglipEvaluator Load(string folder, ComponentConfig config, ComputeTarget target)
    {
        var text = SiglipTextConfig.Parse(config.Section("text_config"));
        var visionSection = config.Section("vision_config");
        visionSection.Require("vision_use_head", true);
        var vision = VisionConfig.Parse(
            visionSection,
            new VisionConfig(
                new TransformerConfig(768, 3072, 12, 12, Activation.GeluTanh, 1e-6),
                ImageSize: 224,
                PatchSize: 16
            )
        );
        if (text.ProjectionSize != vision.Transformer.HiddenSize)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{folder}: the text tower of config.json gives {text.ProjectionSize} features, the image tower {vision.Transformer.HiddenSize}; they must be as many."
            );
        }

        var tokenizer = SiglipTokenizer.Load(folder, text.MaxPositionEmbeddings);
        if (tokenizer.VocabularySize > text.VocabSize)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{folder}: spiece.model has {tokenizer.VocabularySize} pieces; the text_config of config.json says {text.VocabSize}."
            );
        }

        return new SiglipEvaluator(
            folder,
            tokenizer,
            ImagePreprocessor.Load(folder).EnsureSize(folder, vision.ImageSize),
            target,
            weights => new SiglipModel(text, vision, weights)
        );
    }

    /// <inheritdoc/>
    public Tensor EncodeTexts(IReadOnlyList<string> prompts) =>
        EncodeTexts(prompts, _tokenizer.Tokenize, ids => Model.Text.Forward(ids).PooledOutput);

    /// <inheritdoc/>
    public Tensor Score(Tensor imageFeatures, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        return sigmoid((Similarity.Cosine(imageFeatures, textFeatures) * Model.LogitScale) + Model.LogitBias)
            .MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override Tensor Features(Tensor pixelValues) => Model.Vision.Forward(pixelValues).PooledOutput;
}
