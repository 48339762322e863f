using Dti.Engine.Models;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>SigLIP (arXiv 2303.15343; transformers' SiglipModel): two towers into one space.</summary>
internal sealed class SiglipModel(SiglipTextConfig text, VisionConfig vision, WeightScope weights)
{
    private readonly Tensor _logitScale = weights.Take("logit_scale", 1);
    private readonly Tensor _logitBias = weights.Take("logit_bias", 1);

    /// <summary>The text tower.</summary>
    public SiglipTextModel Text { get; } = new(text, weights.Sub("text_model"));

    /// <summary>The image tower.</summary>
    public SiglipVisionModel Vision { get; } = new(vision, weights.Sub("vision_model"));

    /// <summary>What cosines are multiplied by.</summary>
    public double LogitScale => Math.Exp(_logitScale.Number());

    /// <summary>What is added then.</summary>
    public double LogitBias => _logitBias.Number();
}
