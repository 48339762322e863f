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

internal static class KappaScheduleExtensions
{
    /// <summary>What is left of κ at a step, 0 to 1.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="step">1, 2, …</param>
    /// <param name="steps">Steps of the run.</param>
    public static double Share(this KappaSchedule schedule, int step, int steps)
    {
        var done = Math.Min(1, (step - 1.0) / Math.Max(1, steps));
        return schedule switch
        {
            KappaSchedule.Linear => 1 - done,
            KappaSchedule.Cosine => (1 + Math.Cos(Math.PI * done)) / 2,
            _ => 1,
        };
    }
}
