using Dti.Engine.Models;
using Dti.Engine.Training;

namespace Dti.Mini.Study;

/// <summary>
/// What the studies compare. Unless said otherwise, methods train for as many steps, from the word of the design's
/// family.
/// </summary>
internal static class StudyMethods
{
    private const int Steps = 200;
    private const double DefaultRate = 0.08;

    /// <summary>DTI with the model's defaults, but from a word and for as many steps as the other methods.</summary>
    public static StudyMethod Default { get; } = DirectionalWithCosine("dti", DefaultRate);

    /// <summary>The same with a stronger prior.</summary>
    private static StudyMethod StrongerPrior { get; } = Default with { Name = "dti-kappa-0.01", Kappa = 1e-2 };

    /// <summary>The same with TEA after training.</summary>
    public static StudyMethod Adjusted { get; } = Default with { Name = "dti-tea", Adjustment = Adjustment.TestTime };

    /// <summary>DTI with all defaults of the model.</summary>
    public static StudyMethod FromPhotos { get; } =
        Default with
        {
            Name = "dti-photos",
            Start = TrainingStart.Photos,
            Steps = 100,
        };

    /// <summary>Textual Inversion at the effective learning rate of its official launcher.</summary>
    public static StudyMethod Inversion { get; } = new("ti", TrainingMethod.TextualInversion, 0.02, Steps);

    /// <summary>
    /// The methods of the literature at the effective learning rates of the official launchers, which pass
    /// <c>--scale_lr</c>.
    /// </summary>
    private static IReadOnlyList<StudyMethod> Published { get; } =
    [
        Inversion,
        Inversion with
        {
            Name = "ti-rescaled",
            Adjustment = Adjustment.Rescaled,
        },
        Inversion with
        {
            Name = "ti-tea",
            Adjustment = Adjustment.TestTime,
        },
        new("dti-official", TrainingMethod.Directional, 0.04, Steps),
        new("ti-renormalized", TrainingMethod.Renormalized, 0.02, Steps),
        new("cross-init", TrainingMethod.CrossInit, 0.02, Steps),
    ];

    /// <summary>What is compared: the model's defaults and the methods of the literature.</summary>
    public static IReadOnlyList<StudyMethod> Official { get; } =
    [
        Default,
        Adjusted,
        .. Published,
        FromPhotos,
        StrongerPrior,
        FromPhotos with
        {
            Name = "dti-photos-kappa-0.01",
            Kappa = StrongerPrior.Kappa,
        },
    ];

    /// <summary>The methods of the literature at learning rates over three decades.</summary>
    public static IReadOnlyList<StudyMethod> Rates { get; } =
    [
        .. Published.SelectMany(method =>
            new[] { 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1 }.Select(rate =>
                method with
                {
                    Name = Named(method.Name, rate),
                    LearningRate = rate,
                }
            )
        ),
    ];

    /// <summary>Lengths of training, each of which ends with a learning rate of 0 where it falls.</summary>
    public static IReadOnlyList<StudyMethod> Lengths { get; } =
    [
        .. new[] { 10, 25, 50, 100, 200, 400, 800 }.SelectMany(steps =>
            ((StudyMethod[])[Default, FromPhotos, Inversion]).Select(method =>
                method with
                {
                    Name = Named(method.Name, steps),
                    Steps = steps,
                }
            )
        ),
    ];

    /// <summary>Changes of the default, one at a time.</summary>
    public static IReadOnlyList<StudyMethod> Variants { get; } =
    [
        Default,
        FromPhotos,
        Adjusted,
        .. new[] { 0.1, 0.2, 0.3, 0.4 }.Select(share =>
            Default with
            {
                Name = Named("toward-word", share),
                TowardWord = share,
            }
        ),
        .. new[] { 0.04, 0.16, 0.32 }.Select(rate => DirectionalWithCosine(Named("rate", rate), rate)),
        .. new[] { 0, 1e-5, 1e-3, 1e-2, 3e-2, 0.1 }.Select(kappa =>
            Default with
            {
                Name = Named("kappa", kappa),
                Kappa = kappa,
            }
        ),
        Default with
        {
            Name = "kappa-falling",
            Kappa = 1e-3,
            KappaSchedule = KappaSchedule.Cosine,
        },
        Default with
        {
            Name = "magnitude-of-word",
            Magnitude = MagnitudeChoice.Initializer,
        },
        .. new[] { 2, 3 }.Select(vectors => Default with { Name = Named("vectors", vectors), Vectors = vectors }),
        Default with
        {
            Name = "nearest-kind",
            InitialWord = InitialWord.NearestKind,
        },
        Default with
        {
            Name = "nearest-name",
            InitialWord = InitialWord.NearestName,
        },
        new("constant-stopped-early", TrainingMethod.Directional, 0.04, 2 * Steps, StopsEarly: true),
    ];

    private static StudyMethod DirectionalWithCosine(string name, double rate) =>
        new(name, TrainingMethod.Directional, rate, Steps, Schedule: LearningRateSchedule.Cosine);

    private static string Named(string name, double value) => FormattableString.Invariant($"{name}-{value}");
}
