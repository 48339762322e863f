namespace Dti.ClientSdk;

/// <summary>What a training uses: <see cref="TrainingOptions"/> with every default filled in.</summary>
public sealed record TrainingSettings
{
    /// <summary>Name of the model.</summary>
    public string Model { get; init; } = "";

    /// <summary>What the photos show.</summary>
    public ConceptKind Kind { get; init; }

    /// <summary>What is learnt, and how.</summary>
    public TrainingMethod Method { get; init; }

    /// <summary>What stands for the concept in prompts.</summary>
    public string Placeholder { get; init; } = "";

    /// <summary>Word or phrase that gave the starting directions.</summary>
    public string Initializer { get; init; } = "";

    /// <summary>The tokens that the initializer became; one vector starts from each.</summary>
    public IReadOnlyList<string> InitializerTokens { get; init; } = [];

    /// <summary>The concept whose vectors training started from; empty: none.</summary>
    public string StartConcept { get; init; } = "";

    /// <summary>Own texts that the concept is trained with; empty: the templates of the kind.</summary>
    public IReadOnlyList<string> Templates { get; init; } = [];

    /// <summary>A photo's opacity is its mask, where it has no other.</summary>
    public bool UseAlpha { get; init; }

    /// <summary>Which text encoders learn.</summary>
    public LearntEncoders TextEncoders { get; init; }

    /// <summary>Number of vectors.</summary>
    public int VectorCount { get; init; }

    /// <summary>Optimiser steps.</summary>
    public int Steps { get; init; }

    /// <summary>Photos of a batch.</summary>
    public int BatchSize { get; init; }

    /// <summary>Batches whose gradients are averaged into one step.</summary>
    public int GradientAccumulation { get; init; }

    /// <summary>Step length η on the sphere, or AdamW's learning rate.</summary>
    public double LearningRate { get; init; }

    /// <summary>κ, the strength of the von Mises–Fisher prior.</summary>
    public double Kappa { get; init; }

    /// <summary>How κ went over the run.</summary>
    public KappaSchedule KappaSchedule { get; init; }

    /// <summary>λ of the pull toward the start.</summary>
    public double Regularization { get; init; }

    /// <summary>β of the second moment of the gradient's norm.</summary>
    public double Beta { get; init; }

    /// <summary>How the magnitude was chosen.</summary>
    public Magnitude Magnitude { get; init; }

    /// <summary>The magnitude in use.</summary>
    public double MagnitudeValue { get; init; }

    /// <summary>Side of the square crops in pixels.</summary>
    public int Resolution { get; init; }

    /// <summary>Crops are from the centre.</summary>
    public bool CenterCrop { get; init; }

    /// <summary>Half of the crops are mirrored.</summary>
    public bool RandomFlip { get; init; }

    /// <summary>Seed of every random choice.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether training may stop before all steps are done.</summary>
    public bool StopEarly { get; init; }

    /// <summary>Steps between checks; 0: none.</summary>
    public int CheckEvery { get; init; }

    /// <summary>Previews are also generated before the first step.</summary>
    public bool PreviewBaseline { get; init; }

    /// <summary>Steps between kept snapshots; 0: only the newest is.</summary>
    public int SnapshotEvery { get; init; }

    /// <summary>Steps between previews; 0: none.</summary>
    public int PreviewEvery { get; init; }

    /// <summary>Prompts of the previews.</summary>
    public IReadOnlyList<string> PreviewPrompts { get; init; } = [];

    /// <summary>Sampling steps of a preview.</summary>
    public int PreviewSteps { get; init; }

    /// <summary><c>fp32</c>, <c>bf16</c> or <c>fp16</c>.</summary>
    public string Dtype { get; init; } = "";

    /// <summary><c>cpu</c>, <c>cuda:0</c>, …</summary>
    public string Device { get; init; } = "";

    /// <summary>Name of the autoencoder; empty: the model's own.</summary>
    public string Vae { get; init; } = "";

    /// <summary>What the model predicts: <c>epsilon</c> or <c>v_prediction</c>.</summary>
    public string PredictionType { get; init; } = "";
}
