using Dti.Engine.Concepts;
using Dti.Engine.Imaging;

namespace Dti.Engine.Training;

/// <summary>What a training run reports as it goes.</summary>
public abstract record TrainingEvent;

/// <summary>A step was done.</summary>
/// <param name="Step">Steps done, from 1.</param>
/// <param name="TotalSteps">Steps asked.</param>
/// <param name="Loss">Denoising loss: mean squared error over all elements.</param>
/// <param name="LossAverage">Its exponential moving average, bias-corrected.</param>
/// <param name="Norm">Mean norm of the embedding's vectors, over all text encoders.</param>
/// <param name="AngleDegrees">Mean angle between the directions and their start μ.</param>
/// <param name="KappaOverGradient">κ/‖g‖, mean over vectors, g the gradient of the denoising loss with respect to v; 0
/// where g is 0, and for methods without the prior.</param>
/// <param name="LearningRate">η.</param>
/// <param name="StepsPerSecond">Moving average.</param>
/// <param name="TimeLeft">Estimate from that average.</param>
public sealed record TrainingStep(
    int Step,
    int TotalSteps,
    double Loss,
    double LossAverage,
    double Norm,
    double AngleDegrees,
    double KappaOverGradient,
    double LearningRate,
    double StepsPerSecond,
    TimeSpan TimeLeft
) : TrainingEvent;

/// <summary>An image generated with the concept as it is at this step.</summary>
/// <param name="Step">Steps done; 0: before the first, with the initialiser in the concept's place.</param>
/// <param name="Index">Which of the preview prompts, from 0.</param>
/// <param name="Image">The image.</param>
/// <param name="Prompt">Its prompt, as the model read it.</param>
/// <param name="Seed">The seed of its noise: the same at every step.</param>
public sealed record TrainingPreview(int Step, int Index, RgbImage Image, string Prompt, ulong Seed) : TrainingEvent;

/// <summary>A deterministic measurement of the concept; see <see cref="TrainingSettings.CheckEvery"/>.</summary>
/// <param name="Step">Steps done; 0: the initial word.</param>
/// <param name="HeldOutLoss">Denoising loss at noise and timesteps that training never uses, the same at each
/// check.</param>
/// <param name="Drift">How far the concept moves the words after it in a few prompts: 1 − cosine of their hidden states
/// to what they were at the start, mean; 0 to 2.</param>
public sealed record TrainingCheck(int Step, double HeldOutLoss, double Drift) : TrainingEvent;

/// <summary>Something the user should know.</summary>
/// <param name="Code">Stable, in CAPITALS.</param>
/// <param name="Message">One sentence.</param>
public sealed record TrainingWarning(string Code, string Message) : TrainingEvent;

/// <summary>The last event.</summary>
/// <param name="Concept">What was learnt.</param>
/// <param name="Last">The last step's numbers.</param>
/// <param name="ConceptStep">The step that the concept is of: the last one, unless the run stopped by itself.</param>
/// <param name="Stopped">Why the run stopped by itself, in one sentence; null: it did all steps.</param>
public sealed record TrainingFinished(
    ConceptEmbedding Concept,
    TrainingStep Last,
    int ConceptStep,
    string? Stopped = null
) : TrainingEvent;
