using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Settings;

namespace Dti.Engine.Training;

/// <summary>How the fixed magnitude m of e = m·v is chosen.</summary>
public enum MagnitudeChoice
{
    /// <summary>Mean norm of the vocabulary's non-zero token embeddings (the paper's choice).</summary>
    Mean,

    /// <summary>Their median.</summary>
    Median,

    /// <summary>The smallest such norm.</summary>
    Min,

    /// <summary>The largest such norm.</summary>
    Max,

    /// <summary>The initial word's own, its tokens' mean.</summary>
    Initializer,

    /// <summary>A given number.</summary>
    Value,
}

/// <summary>Which text encoders learn a concept; of SDXL's two, the other keeps the start.</summary>
public enum LearntEncoders
{
    /// <summary>All that the model has.</summary>
    All,

    /// <summary>The first alone.</summary>
    First,

    /// <summary>The second alone; SDXL only.</summary>
    Second,
}

/// <summary>
/// What a caller asks of a training run; null takes the default. Ranges and defaults: <see cref="TrainingSettings"/>.
/// </summary>
[DeclaredSettings(Except = "model dtype vae start_concept")]
public sealed partial record TrainingOptions
{
    /// <inheritdoc cref="TrainingSettings.StartConcept"/>
    public ConceptEmbedding? StartConcept { get; init; }

    /// <inheritdoc cref="TrainingSettings.Start"/>
    public TrainingStart? Start { get; init; }

    /// <inheritdoc cref="TrainingSettings.LearningRateSchedule"/>
    public LearningRateSchedule? LearningRateSchedule { get; init; }

    /// <inheritdoc cref="TrainingSettings.Magnitude"/>
    public MagnitudeChoice? Magnitude { get; init; }
}
