using Dti.Engine.Models;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>CLIP (arXiv 2103.00020; transformers' CLIPModel): two towers, and what takes both into one space.</summary>
internal sealed class ClipModel
{
    private readonly Linear _visualProjection;
    private readonly Tensor _logitScale; // ()

    public ClipModel(ClipTextConfig text, VisionConfig vision, WeightScope weights)
    {
        Text = new ClipTextModel(text, weights);
        Vision = new ClipVisionModel(vision, weights.Sub("vision_model"));
        _visualProjection = new Linear(
            weights.Sub("visual_projection"),
            vision.Transformer.HiddenSize,
            text.ProjectionDim,
            bias: false
        );
        _logitScale = weights.Take("logit_scale");
    }

    /// <summary>The text tower.</summary>
    public ClipTextModel Text { get; }

    /// <summary>The image tower.</summary>
    public ClipVisionModel Vision { get; }

    /// <summary>What cosines are multiplied by.</summary>
    public double LogitScale => Math.Exp(_logitScale.Number());

    /// <param name="pixelValues">(B, 3, S, S)</param>
    /// <returns>(B, p)</returns>
    public Tensor ImageFeatures(Tensor pixelValues) =>
        _visualProjection.Forward(Vision.Forward(pixelValues).PooledOutput);

    /// <param name="inputIds">(B, 77) int64</param>
    /// <returns>(B, p)</returns>
    public Tensor TextFeatures(Tensor inputIds) => Text.Forward(inputIds).TextEmbeds!;
}
