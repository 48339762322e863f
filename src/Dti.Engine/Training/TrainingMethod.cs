namespace Dti.Engine.Training;

/// <summary>
/// What is learnt of a concept's embedding, and how. All but the first are baselines to compare with.
/// </summary>
public enum TrainingMethod
{
    /// <summary>Directions on the unit sphere, magnitude fixed (arXiv 2512.13672).</summary>
    Directional,

    /// <summary>
    /// The embedding itself, by AdamW (Textual Inversion, arXiv 2208.01618): its norm is free to grow.
    /// </summary>
    TextualInversion,

    /// <summary>As <see cref="TextualInversion"/>, and set to the magnitude when it is saved.</summary>
    Rescaled,

    /// <summary>
    /// As <see cref="TextualInversion"/> without weight decay, and set back to the magnitude after each step.
    /// </summary>
    Renormalized,

    /// <summary>
    /// As <see cref="Renormalized"/>, but each step moves the norm only a tenth of the way to the magnitude, in
    /// logarithms.
    /// </summary>
    SoftlyRenormalized,

    /// <summary>
    /// As <see cref="TextualInversion"/>, from what the text encoder makes of the initial word (arXiv 2312.15905).
    /// </summary>
    CrossInit,
}
