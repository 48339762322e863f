using static TorchSharp.torch;

namespace Dti.Engine.Training.Methods;

/// <summary>
/// The embedding itself, by AdamW with a weight decay of 1e-2, or of what the model's family was published with, as
/// diffusers trains it (arXiv 2208.01618): its norm is free to grow.
/// </summary>
internal class TextualInversion : LearningMethod
{
    /// <inheritdoc/>
    public override double DefaultLearningRate => 0.005;

    /// <inheritdoc/>
    public override TrainableEmbedding Embedding(Tensor start, double magnitude, Tensor? toward = null) =>
        new FreeEmbedding(start, toward);

    /// <inheritdoc/>
    public override IEmbeddingOptimizer Optimizer(
        TrainableEmbedding embedding,
        double magnitude,
        TrainingSettings settings
    ) =>
        new AdamW(
            embedding.Parameter,
            settings.LearningRate,
            settings.WeightDecay,
            regularizer: StartRegularizer.Of(embedding.Parameter, settings.Regularization)
        );
}
