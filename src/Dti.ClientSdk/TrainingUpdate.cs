namespace Dti.ClientSdk;

/// <summary>
/// One event of a training job. The first is <see cref="TrainingAccepted"/>, the last <see cref="TrainingResult"/>.
/// </summary>
public abstract record TrainingUpdate
{
    private protected TrainingUpdate() { }
}

/// <summary>The job was accepted.</summary>
/// <param name="JobId">Its id, for <see cref="DtiClient.WatchAsync"/> and <see cref="DtiClient.CancelJobAsync(string,
/// CancellationToken)"/>.</param>
/// <param name="RequestId">The id that makes a retry safe.</param>
/// <param name="Name">The concept's name.</param>
/// <param name="Settings">What the job uses, every default filled in.</param>
/// <param name="PhotoCount">Number of photos.</param>
/// <param name="Attached">True when an earlier call with the same request id started the job.</param>
/// <param name="StepsDone">Steps that were done before, where this training continues with an earlier one.</param>
public sealed record TrainingAccepted(
    string JobId,
    string RequestId,
    string Name,
    TrainingSettings Settings,
    int PhotoCount,
    bool Attached,
    int StepsDone
) : TrainingUpdate;

/// <summary>The job waits for its turn.</summary>
/// <param name="Position">Jobs ahead of this one.</param>
/// <param name="ExpectedStart">When it may start, going by what steps took lately; null: nothing is known of that
/// yet.</param>
public sealed record TrainingQueued(int Position, DateTimeOffset? ExpectedStart = null) : TrainingUpdate;

/// <summary>The state after a step.</summary>
/// <param name="Step">Steps done, from 1.</param>
/// <param name="TotalSteps">Steps to do.</param>
/// <param name="Loss">Denoising loss of this step.</param>
/// <param name="LossAverage">Its exponential moving average.</param>
/// <param name="Norm">Mean norm of the embedding's vectors.</param>
/// <param name="AngleDegrees">Mean angle between the directions and their start, degrees.</param>
/// <param name="KappaOverGradient">κ / ‖g‖, mean over vectors: how strong the prior is against the data.</param>
/// <param name="LearningRate">Step length η.</param>
/// <param name="StepsPerSecond">Moving average over the last steps.</param>
/// <param name="TimeLeft">Estimate, if there is one.</param>
public sealed record TrainingProgress(
    int Step,
    int TotalSteps,
    double Loss,
    double LossAverage,
    double Norm,
    double AngleDegrees,
    double KappaOverGradient,
    double LearningRate,
    double StepsPerSecond,
    TimeSpan? TimeLeft
) : TrainingUpdate;

/// <summary>A deterministic measurement of the concept, so that steps can be compared.</summary>
/// <param name="Step">Steps done; 0: the initializer.</param>
/// <param name="HeldOutLoss">Denoising loss at noise and timesteps that training never uses, the same at each
/// check.</param>
/// <param name="Drift">How far the concept moves the words after it in a few prompts: 1 − cosine of their hidden states
/// to what they were at the start, 0 to 2.</param>
public sealed record TrainingCheck(int Step, double HeldOutLoss, double Drift) : TrainingUpdate;

/// <summary>An image generated with the concept as it is at this step.</summary>
/// <param name="Step">Steps done; 0: before the first, with the initializer in the concept's place.</param>
/// <param name="Picture">The image.</param>
public sealed record TrainingPreview(int Step, Picture Picture) : TrainingUpdate;

/// <summary>Something the user should know; training continues.</summary>
/// <param name="Code">A stable code, for example <c>INITIALIZER_SPLIT</c>.</param>
/// <param name="Message">One sentence.</param>
public sealed record TrainingWarning(string Code, string Message) : TrainingUpdate;

/// <summary>
/// The client waits for a server that became unreachable; the job is not lost. Reported once for each wait longer than
/// a second.
/// </summary>
/// <param name="Since">When the connection was lost.</param>
/// <param name="Until">When the client gives up.</param>
public sealed record TrainingConnectionLost(DateTimeOffset Since, DateTimeOffset Until) : TrainingUpdate;

/// <summary>The concept is learnt and in the library.</summary>
/// <param name="Name">The concept's name.</param>
/// <param name="Placeholder">What stands for it in prompts.</param>
/// <param name="Steps">Steps done.</param>
/// <param name="LossAverage">Final moving average of the loss.</param>
/// <param name="Norm">Mean norm of the embedding's vectors.</param>
/// <param name="AngleDegrees">Mean angle between the directions and their start, degrees.</param>
/// <param name="Elapsed">From the start of the job to its end.</param>
/// <param name="ConceptStep">The step that the concept is of: the last one, unless training stopped by itself.</param>
/// <param name="Stopped">Why training stopped by itself, in one sentence; empty: all steps were done.</param>
public sealed record TrainingResult(
    string Name,
    string Placeholder,
    int Steps,
    double LossAverage,
    double Norm,
    double AngleDegrees,
    TimeSpan Elapsed,
    int ConceptStep,
    string Stopped
) : TrainingUpdate;
