using static TorchSharp.torch;

namespace Dti.Engine.Training.Methods;

/// <summary>
/// Directions on the unit sphere, magnitude fixed, a prior toward the initial word (arXiv 2512.13672, algorithm 1).
/// </summary>
internal sealed class DirectionalTextualInversion : LearningMethod
{
    /// <inheritdoc/>
    public override double DefaultLearningRate => 0.01;

    /// <inheritdoc/>
    public override bool OnSphere => true;

    /// <inheritdoc/>
    public override TrainableEmbedding Embedding(Tensor start, double magnitude, Tensor? toward = null) =>
        new DirectionalEmbedding(start, magnitude, toward);

    /// <inheritdoc/>
    public override IEmbeddingOptimizer Optimizer(
        TrainableEmbedding embedding,
        double magnitude,
        TrainingSettings settings
    ) =>
        new SphericalSgd(
            embedding.Parameter,
            settings.LearningRate,
            settings.Beta,
            new VonMisesFisherPrior(embedding.Initial, settings.Kappa, settings.KappaSchedule, settings.Steps)
        );
}
