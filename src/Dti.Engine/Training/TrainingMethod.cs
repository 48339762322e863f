namespace Dti.Engine.Training;

/// <summary>What is learnt of a concept's embedding, and how. All but the first are baselines to compare with.</summary>
public enum TrainingMethod
{
    /// <summary>Directions on the unit sphere, magnitude fixed (arXiv 2512.13672).</summary>
    Directional,

    /// <summary>The embedding itself, by AdamW (Textual Inversion, arXiv 2208.01618): its norm is free to grow.</summary>
    TextualInversion,

    /// <summary>As <see cref="TextualInversion"/>, and set back to the magnitude after each step.</summary>
    Renormalized,
}
