using Dti.Engine.Models;

namespace Dti.Engine.Training;

/// <summary>The values of schedules at a step: 1 at the first step, 0 after the last.</summary>
internal static class Schedules
{
    /// <summary>What is left of κ at a step, 0 to 1.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="step">1, 2, …</param>
    /// <param name="steps">Steps of the run.</param>
    public static double Share(this KappaSchedule schedule, int step, int steps) =>
        schedule switch
        {
            KappaSchedule.Linear => Linear(step, steps),
            KappaSchedule.Cosine => Cosine(step, steps),
            _ => 1,
        };

    /// <summary>What is left of η at a step, 0 to 1.</summary>
    /// <inheritdoc cref="Share(KappaSchedule, int, int)"/>
    public static double Share(this LearningRateSchedule schedule, int step, int steps) =>
        schedule switch
        {
            LearningRateSchedule.Linear => Linear(step, steps),
            LearningRateSchedule.Cosine => Cosine(step, steps),
            _ => 1,
        };

    private static double Linear(int step, int steps) => 1 - Done(step, steps);

    private static double Cosine(int step, int steps) => (1 + Math.Cos(Math.PI * Done(step, steps))) / 2;

    private static double Done(int step, int steps) => Math.Min(1, (step - 1.0) / Math.Max(1, steps));
}
