using Dti.Engine.Concepts;

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
public sealed record TrainingOptions
{
    /// <inheritdoc cref="TrainingSettings.Kind"/>
    public ConceptKind? Kind { get; init; }

    /// <inheritdoc cref="TrainingSettings.Method"/>
    public TrainingMethod? Method { get; init; }

    /// <summary>
    /// A preset of several settings; settings that are given individually take precedence. Null: balanced.
    /// </summary>
    public TrainingPreset? Preset { get; init; }

    /// <summary>
    /// From likeness (0) to obedience (1): sets κ, unless that is asked for; directional only. Null: 0.5.
    /// </summary>
    public double? Obedience { get; init; }

    /// <inheritdoc cref="TrainingSettings.Placeholder"/>
    public string? Placeholder { get; init; }

    /// <inheritdoc cref="TrainingSettings.Initializer"/>
    public string? Initializer { get; init; }

    /// <inheritdoc cref="TrainingSettings.Start"/>
    public ConceptEmbedding? Start { get; init; }

    /// <inheritdoc cref="TrainingSettings.VectorCount"/>
    public int? VectorCount { get; init; }

    /// <inheritdoc cref="TrainingSettings.Encoders"/>
    public LearntEncoders? Encoders { get; init; }

    /// <summary>
    /// Texts that the concept is trained with; <see cref="PromptTemplates.Parse"/> says where it goes. Null or none:
    /// those of the kind.
    /// </summary>
    public IReadOnlyList<string>? Templates { get; init; }

    /// <inheritdoc cref="TrainingSettings.UseAlpha"/>
    public bool? UseAlpha { get; init; }

    /// <inheritdoc cref="TrainingSettings.Steps"/>
    public int? Steps { get; init; }

    /// <inheritdoc cref="TrainingSettings.BatchSize"/>
    public int? BatchSize { get; init; }

    /// <inheritdoc cref="TrainingSettings.GradientAccumulation"/>
    public int? GradientAccumulation { get; init; }

    /// <inheritdoc cref="TrainingSettings.LearningRate"/>
    public double? LearningRate { get; init; }

    /// <inheritdoc cref="TrainingSettings.Kappa"/>
    public double? Kappa { get; init; }

    /// <inheritdoc cref="TrainingSettings.KappaSchedule"/>
    public KappaSchedule? KappaSchedule { get; init; }

    /// <inheritdoc cref="TrainingSettings.Regularization"/>
    public double? Regularization { get; init; }

    /// <inheritdoc cref="TrainingSettings.Beta"/>
    public double? Beta { get; init; }

    /// <inheritdoc cref="TrainingSettings.Magnitude"/>
    public MagnitudeChoice? Magnitude { get; init; }

    /// <summary>
    /// The magnitude, where <see cref="Magnitude"/> is <see cref="MagnitudeChoice.Value"/>: above 0, at most 1000.
    /// </summary>
    public double? MagnitudeValue { get; init; }

    /// <inheritdoc cref="TrainingSettings.Resolution"/>
    public int? Resolution { get; init; }

    /// <inheritdoc cref="TrainingSettings.CenterCrop"/>
    public bool? CenterCrop { get; init; }

    /// <inheritdoc cref="TrainingSettings.RandomFlip"/>
    public bool? RandomFlip { get; init; }

    /// <inheritdoc cref="TrainingSettings.Seed"/>
    public ulong? Seed { get; init; }

    /// <inheritdoc cref="TrainingSettings.StopEarly"/>
    public bool? StopEarly { get; init; }

    /// <inheritdoc cref="TrainingSettings.CheckEvery"/>
    public int? CheckEvery { get; init; }

    /// <inheritdoc cref="TrainingSettings.SnapshotEvery"/>
    public int? SnapshotEvery { get; init; }

    /// <inheritdoc cref="TrainingSettings.PreviewEvery"/>
    public int? PreviewEvery { get; init; }

    /// <inheritdoc cref="TrainingSettings.PreviewBaseline"/>
    public bool? PreviewBaseline { get; init; }

    /// <inheritdoc cref="TrainingSettings.PreviewPrompts"/>
    public IReadOnlyList<string>? PreviewPrompts { get; init; }

    /// <inheritdoc cref="TrainingSettings.PreviewSteps"/>
    public int? PreviewSteps { get; init; }

    /// <summary><c>epsilon</c> or <c>v_prediction</c>. Default: what the model says.</summary>
    public string? PredictionType { get; init; }
}
