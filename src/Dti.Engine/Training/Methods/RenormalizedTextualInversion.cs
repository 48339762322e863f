using static TorchSharp.torch;

namespace Dti.Engine.Training.Methods;

/// <summary>
/// AdamW without weight decay whose rows are brought back toward the magnitude after each step, moments untouched.
/// OneTrainer knows the full pull as preserving the embedding's norm.
/// </summary>
/// <param name="pull">Each step multiplies a row by (m / ‖e‖)^pull: 1 sets it back, 0.1 only leads it back.</param>
internal sealed class RenormalizedTextualInversion(double pull) : LearningMethod
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
            weightDecay: 0,
            new Renormalization(magnitude, pull),
            StartRegularizer.Of(embedding.Parameter, settings.Regularization)
        );
}
