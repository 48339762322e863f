namespace Dti.Engine.Models;

/// <summary>How the learning rate η goes over a run (diffusers: <c>lr_scheduler</c>).</summary>
public enum LearningRateSchedule
{
    /// <summary>The same at every step (the paper).</summary>
    Constant,

    /// <summary>From η at the first step down to 0 after the last, evenly.</summary>
    Linear,

    /// <summary>From η at the first step down to 0 after the last, as half a cosine.</summary>
    Cosine,
}
