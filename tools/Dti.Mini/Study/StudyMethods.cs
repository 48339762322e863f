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
    private const double DefaultKappa = 1e-2;

    /// <summary>DTI with the model's defaults, but from a word and for as many steps as the other methods.</summary>
    public static StudyMethod Default { get; } = WithPaperKappa("dti", DefaultRate) with { Kappa = DefaultKappa };

    /// <summary>DTI with all defaults of the model.</summary>
    public static StudyMethod FromPhotos { get; } = AtPhotos(Default, "dti-photos");

    /// <summary>The default with the paper's κ; the variants are changes of it.</summary>
    public static StudyMethod PaperKappa { get; } = WithPaperKappa("dti-kappa-0.0001", DefaultRate);

    private static StudyMethod PaperKappaAtPhotos { get; } = AtPhotos(PaperKappa, "dti-kappa-0.0001-photos");

    /// <summary>With TEA after training.</summary>
    private static StudyMethod PaperKappaAdjusted { get; } =
        PaperKappa with
        {
            Name = "dti-kappa-0.0001-tea",
            Adjustment = Adjustment.TestTime,
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
    [Default, FromPhotos, .. Published, PaperKappa, PaperKappaAtPhotos, PaperKappaAdjusted];

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

    /// <summary>Changes of <see cref="PaperKappa"/>, one at a time.</summary>
    public static IReadOnlyList<StudyMethod> Variants { get; } =
    [
        PaperKappa,
        PaperKappaAtPhotos,
        PaperKappaAdjusted,
        .. new[] { 0.1, 0.2, 0.3, 0.4 }.Select(share =>
            PaperKappa with
            {
                Name = Named("toward-word", share),
                TowardWord = share,
            }
        ),
        .. new[] { 0.04, 0.16, 0.32 }.Select(rate => WithPaperKappa(Named("rate", rate), rate)),
        .. new[] { 0, 1e-5, 1e-3, 1e-2, 3e-2, 0.1 }.Select(kappa =>
            PaperKappa with
            {
                Name = Named("kappa", kappa),
                Kappa = kappa,
            }
        ),
        PaperKappa with
        {
            Name = "kappa-falling",
            Kappa = 1e-3,
            KappaSchedule = KappaSchedule.Cosine,
        },
        PaperKappa with
        {
            Name = "magnitude-of-word",
            Magnitude = MagnitudeChoice.Initializer,
        },
        .. new[] { 2, 3 }.Select(vectors => PaperKappa with { Name = Named("vectors", vectors), Vectors = vectors }),
        PaperKappa with
        {
            Name = "nearest-kind",
            InitialWord = InitialWord.NearestKind,
        },
        PaperKappa with
        {
            Name = "nearest-name",
            InitialWord = InitialWord.NearestName,
        },
        new("constant-stopped-early", TrainingMethod.Directional, 0.04, 2 * Steps, StopsEarly: true),
    ];

    private static StudyMethod AtPhotos(StudyMethod method, string name) =>
        method with
        {
            Name = name,
            Start = TrainingStart.Photos,
            Steps = 100,
        };

    private static StudyMethod WithPaperKappa(string name, double rate) =>
        new(name, TrainingMethod.Directional, rate, Steps, Schedule: LearningRateSchedule.Cosine);

    private static string Named(string name, double value) => FormattableString.Invariant($"{name}-{value}");
}
