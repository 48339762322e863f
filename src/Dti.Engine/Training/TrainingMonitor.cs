using System.Diagnostics;

namespace Dti.Engine.Training;

/// <summary>Turns what happens in a run into the numbers that a user watches.</summary>
internal sealed class TrainingMonitor(TrainingSettings settings)
{
    private const double LossDecay = 0.98;
    private const double SpeedDecay = 0.9;
    private long _stepStart;
    private double _secondsPerStep;

    /// <summary>
    /// The moving average of the loss, before its bias is corrected. Set only to continue from a snapshot.
    /// </summary>
    public double LossSum { get; set; }

    /// <summary>
    /// Begins a step: what happens between steps (previews, a slow reader) does not count as training time.
    /// </summary>
    public void BeginStep() => _stepStart = Stopwatch.GetTimestamp();

    /// <summary>Ends it.</summary>
    /// <param name="step">Steps done, from 1.</param>
    /// <param name="loss">Its loss.</param>
    /// <param name="gradientNorms">‖g‖ per vector and text encoder.</param>
    /// <param name="embeddings">The embeddings after the step, one per text encoder.</param>
    public TrainingStep EndStep(
        int step,
        double loss,
        IReadOnlyList<float> gradientNorms,
        IReadOnlyList<TrainableEmbedding> embeddings
    )
    {
        LossSum = (LossDecay * LossSum) + ((1 - LossDecay) * loss);
        var seconds = Stopwatch.GetElapsedTime(_stepStart).TotalSeconds;
        _secondsPerStep =
            _secondsPerStep == 0 ? seconds : (SpeedDecay * _secondsPerStep) + ((1 - SpeedDecay) * seconds);
        return new TrainingStep(
            step,
            settings.Steps,
            loss,
            LossAverage: LossSum / (1 - Math.Pow(LossDecay, step)),
            embeddings.Average(embedding => embedding.Norm()),
            embeddings.Average(embedding => embedding.AngleDegrees()),
            KappaOverGradient: gradientNorms.Average(norm =>
                norm > 0 ? settings.Kappa * settings.KappaSchedule.Share(step, settings.Steps) / norm : 0
            ),
            settings.LearningRateAt(step),
            StepsPerSecond: _secondsPerStep > 0 ? 1 / _secondsPerStep : 0,
            TimeLeft: TimeSpan.FromSeconds(_secondsPerStep * (settings.Steps - step))
        );
    }
}
