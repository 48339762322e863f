namespace Dti.Engine.Training;

/// <summary>How the strength κ of the prior goes over a run.</summary>
public enum KappaSchedule
{
    /// <summary>The same at every step (the paper).</summary>
    Constant,

    /// <summary>From κ at the first step down to 0 after the last, evenly.</summary>
    Linear,

    /// <summary>From κ at the first step down to 0 after the last, as half a cosine.</summary>
    Cosine,
}
