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
/// <param name="KappaOverGradient">κ/‖g‖, mean over vectors, g the gradient of the denoising loss with respect to v; 0 where g is 0, and for methods without the prior.</param>
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
    TimeSpan TimeLeft) : TrainingEvent;

/// <summary>A picture drawn with the concept as it is at this step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Index">Which of the preview prompts, from 0.</param>
/// <param name="Image">The picture.</param>
/// <param name="Prompt">Its prompt, as the model read it.</param>
/// <param name="Seed">The seed of its noise: the same at every step.</param>
public sealed record TrainingPreview(int Step, int Index, RgbImage Image, string Prompt, ulong Seed) : TrainingEvent;

/// <summary>Something the user should know.</summary>
/// <param name="Code">Stable, in CAPITALS.</param>
/// <param name="Message">One sentence.</param>
public sealed record TrainingWarning(string Code, string Message) : TrainingEvent;

/// <summary>The last event.</summary>
/// <param name="Concept">What was learnt.</param>
/// <param name="Last">The last step's numbers.</param>
public sealed record TrainingFinished(ConceptEmbedding Concept, TrainingStep Last) : TrainingEvent;
