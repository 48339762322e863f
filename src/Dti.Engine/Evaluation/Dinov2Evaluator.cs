using Dti.Engine.Configs;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>DINOv2 with its preprocessing; an image's features are those of the class token.</summary>
internal sealed class Dinov2Evaluator : ImageEncoder<Dinov2Model>
{
    private Dinov2Evaluator(
        string folder,
        ImagePreprocessor preprocessor,
        ComputeTarget target,
        Func<WeightScope, Dinov2Model> build
    )
        : base(folder, preprocessor, target, build) { }

    /// <inheritdoc cref="Evaluator.Load"/>
    public static Dinov2Evaluator Load(string folder, ComponentConfig config, ComputeTarget target)
    {
        var vision = ParseConfig(config);
        var preprocessor = ImagePreprocessor.Load(folder);
        return Math.Min(preprocessor.Height, preprocessor.Width) >= vision.PatchSize
            ? new Dinov2Evaluator(folder, preprocessor, target, weights => new Dinov2Model(vision, weights))
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{folder}: preprocessor_config.json makes images of {preprocessor.Height} × {preprocessor.Width}; the patches of config.json are {vision.PatchSize} × {vision.PatchSize}."
            );
    }

    /// <inheritdoc/>
    protected override Tensor Features(Tensor pixelValues) => Model.Forward(pixelValues).select(1, 0);

    private static VisionConfig ParseConfig(ComponentConfig config)
    {
        config.Require("qkv_bias", true);
        config.Require("use_swiglu_ffn", false); // that of the giant model
        var vision = VisionConfig.Parse(
            config,
            new VisionConfig(
                new TransformerConfig(768, 3072, 12, 12, Activation.Gelu, 1e-6),
                ImageSize: 224,
                PatchSize: 14
            )
        );
        var transformer = vision.Transformer with
        {
            IntermediateSize = vision.Transformer.HiddenSize * config.Int("mlp_ratio", 4, 1, 64),
        };
        return vision with { Transformer = transformer };
    }
}
