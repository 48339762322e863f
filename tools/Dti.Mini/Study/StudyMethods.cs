using Dti.Engine.Models;
using Dti.Engine.Training;

namespace Dti.Mini.Study;

/// <summary>What the study compares.</summary>
internal static class StudyMethods
{
    private const int Steps = 300;
    private const int DesignSteps = 200;
    private const double DtiRate = 0.08;

    /// <summary>The four ways, each at the learning rate that <see cref="Tuned"/> favours.</summary>
    public static IReadOnlyList<StudyMethod> Compared { get; } =
    [
        new("dti", TrainingMethod.Directional, DtiRate, Steps),
        new("ti", TrainingMethod.TextualInversion, 0.005, Steps),
        new("ti-rescaled", TrainingMethod.TextualInversion, 0.005, Steps, Adjustment: Adjustment.Rescaled),
        new("ti-renormalized", TrainingMethod.Renormalized, 0.005, Steps),
    ];

    /// <summary>Learning rates of each.</summary>
    public static IReadOnlyList<StudyMethod> Tuned { get; } =
    [
        .. new[] { 0.01, 0.02, 0.04, 0.08, 0.16 }.Select(rate => new StudyMethod(
            Named("tune-dti", rate),
            TrainingMethod.Directional,
            rate,
            Steps
        )),
        .. new[] { 0.001, 0.0025, 0.005, 0.01, 0.02 }.Select(rate => new StudyMethod(
            Named("tune-ti", rate),
            TrainingMethod.TextualInversion,
            rate,
            Steps
        )),
        .. new[] { 0.005, 0.01, 0.02 }.Select(rate => new StudyMethod(
            Named("tune-ti-rescaled", rate),
            TrainingMethod.TextualInversion,
            rate,
            Steps,
            Adjustment: Adjustment.Rescaled
        )),
        .. new[] { 0.001, 0.0025, 0.005, 0.01 }.Select(rate => new StudyMethod(
            Named("tune-ti-renormalized", rate),
            TrainingMethod.Renormalized,
            rate,
            Steps
        )),
    ];

    /// <summary>Strengths of the prior.</summary>
    public static IReadOnlyList<StudyMethod> Kappas { get; } =
    [
        .. new[] { 0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1 }.Select(kappa => new StudyMethod(
            Named("kappa", kappa),
            TrainingMethod.Directional,
            DtiRate,
            Steps,
            kappa
        )),
    ];

    /// <summary>Lengths of training.</summary>
    public static IReadOnlyList<StudyMethod> StepCounts { get; } =
    [
        .. new[] { 25, 50, 100, 150, 200, 250, 300, 400, 500 }.Select(steps => new StudyMethod(
            Named("steps", steps),
            TrainingMethod.Directional,
            DtiRate,
            steps
        )),
    ];

    /// <summary>
    /// The methods on designs: at the effective learning rates of the official launchers, which pass
    /// <c>--scale_lr</c>, and what costs no training of its own.
    /// </summary>
    public static IReadOnlyList<StudyMethod> Official { get; } =
    [
        new("dti", TrainingMethod.Directional, 0.04, DesignSteps),
        new("ti", TrainingMethod.TextualInversion, 0.02, DesignSteps),
        new("ti-rescaled", TrainingMethod.TextualInversion, 0.02, DesignSteps, Adjustment: Adjustment.Rescaled),
        new("ti-tea", TrainingMethod.TextualInversion, 0.02, DesignSteps, Adjustment: Adjustment.TestTime),
        new("ti-renormalized", TrainingMethod.Renormalized, 0.02, DesignSteps),
        new("cross-init", TrainingMethod.CrossInit, 0.02, DesignSteps),
    ];

    /// <summary>Learning rates over three decades, on designs.</summary>
    public static IReadOnlyList<StudyMethod> Rates { get; } =
    [
        .. new[] { 0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32 }.SelectMany(rate =>
            (StudyMethod[])
                [
                    new(Named("rate-dti", rate), TrainingMethod.Directional, rate, DesignSteps),
                    new(
                        Named("rate-dti-cosine", rate),
                        TrainingMethod.Directional,
                        rate,
                        DesignSteps,
                        Schedule: LearningRateSchedule.Cosine
                    ),
                    new(Named("rate-ti", rate), TrainingMethod.TextualInversion, rate, DesignSteps),
                    new(
                        Named("rate-ti-rescaled", rate),
                        TrainingMethod.TextualInversion,
                        rate,
                        DesignSteps,
                        Adjustment: Adjustment.Rescaled
                    ),
                    new(
                        Named("rate-ti-tea", rate),
                        TrainingMethod.TextualInversion,
                        rate,
                        DesignSteps,
                        Adjustment: Adjustment.TestTime
                    ),
                ]
        ),
    ];

    public static IEnumerable<StudyMethod> All => [.. Tuned, .. Compared, .. Kappas, .. StepCounts];

    private static string Named(string name, double value) => FormattableString.Invariant($"{name}-{value}");
}
