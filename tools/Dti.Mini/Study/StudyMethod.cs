using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Training;

namespace Dti.Mini.Study;

/// <summary>A way to learn a concept that the study compares.</summary>
/// <param name="Name">In tables and file names.</param>
/// <param name="Method">How it is trained.</param>
/// <param name="LearningRate">Its learning rate.</param>
/// <param name="Steps">Steps.</param>
/// <param name="Kappa">κ; DTI only. Null: the paper's.</param>
/// <param name="Adjustment">What is done with its vectors after training.</param>
/// <param name="Schedule">How η goes over the run.</param>
/// <param name="Magnitude">m; DTI and renormalised TI only.</param>
/// <param name="KappaSchedule">How κ goes over the run; DTI only.</param>
/// <param name="Vectors">Vectors of the concept.</param>
/// <param name="Start">Where training starts; with photos, without an initial word.</param>
/// <param name="InitialWord">Which word that is otherwise.</param>
/// <param name="TowardWord">Share of the angle to the initial word by which directions are turned after training,
/// with their magnitude.</param>
/// <param name="StopsEarly">Whether it keeps the step at which the loss at noise that training does not use was
/// lowest, and ends when that does not fall any more.</param>
internal sealed record StudyMethod(
    string Name,
    TrainingMethod Method,
    double LearningRate,
    int Steps,
    double? Kappa = null,
    Adjustment Adjustment = Adjustment.None,
    LearningRateSchedule Schedule = LearningRateSchedule.Constant,
    MagnitudeChoice Magnitude = MagnitudeChoice.Mean,
    KappaSchedule KappaSchedule = KappaSchedule.Constant,
    int Vectors = 1,
    TrainingStart Start = TrainingStart.Word,
    InitialWord InitialWord = InitialWord.Family,
    double TowardWord = 0,
    bool StopsEarly = false
)
{
    private const double PaperKappa = 1e-4;

    /// <summary>The folder of its concepts; methods that differ in what is done after training share it.</summary>
    public string Folder =>
        FormattableString.Invariant($"{Method}-{LearningRate}-{Steps}-{Kappa ?? PaperKappa}")
        + (Schedule == LearningRateSchedule.Constant ? "" : $"-{Schedule}")
        + (Magnitude == MagnitudeChoice.Mean ? "" : $"-{Magnitude}")
        + (KappaSchedule == KappaSchedule.Constant ? "" : $"-κ-{KappaSchedule}")
        + (Vectors == 1 ? "" : FormattableString.Invariant($"-{Vectors}-vectors"))
        + (Start == TrainingStart.Word ? "" : $"-{Start}")
        + (InitialWord == InitialWord.Family ? "" : $"-{InitialWord}")
        + (StopsEarly ? "-early" : "");

    public TrainingOptions Options(string initializer, int seed) =>
        new()
        {
            Method = Method,
            Start = Start,
            Initializer = Start == TrainingStart.Word ? initializer : null,
            LearningRate = LearningRate,
            LearningRateSchedule = Schedule,
            Magnitude = Magnitude,
            Kappa = Method == TrainingMethod.Directional ? Kappa ?? PaperKappa : null,
            KappaSchedule = KappaSchedule,
            VectorCount = Vectors,
            Steps = Steps,
            Seed = (ulong)seed,
            StopEarly = StopsEarly,
            PreviewEvery = 0,
        };

    /// <summary>A trained concept as it is used.</summary>
    /// <param name="concept">The concept.</param>
    /// <param name="profile">The model.</param>
    /// <param name="word">(1, d), the embedding of the initial word.</param>
    public ConceptEmbedding After(ConceptEmbedding concept, ModelProfile profile, DirectionalVectors word) =>
        Adjustment switch
        {
            Adjustment.Rescaled => concept.Rescaled(profile),
            Adjustment.TestTime => TestTimeEmbeddingAdjustment(concept, word),
            _ => TowardWord > 0 ? Turned(concept, word, TowardWord, share: 0) : concept,
        };

    /// <summary>
    /// Test-time embedding adjustment (arXiv 2506.22685) of the token embedding, with the reference implementation's
    /// α = 0.5 and ρ = 0.2: half of the norm's distance to the word's, and a fifth of the angle to it.
    /// </summary>
    private static ConceptEmbedding TestTimeEmbeddingAdjustment(ConceptEmbedding concept, DirectionalVectors word) =>
        Turned(concept, word, angle: 0.2, share: 0.5);

    /// <summary>A concept that is moved toward a word.</summary>
    /// <param name="concept">The concept.</param>
    /// <param name="word">(1, d)</param>
    /// <param name="angle">Share of the angle between them.</param>
    /// <param name="share">Share of the difference of their norms.</param>
    private static ConceptEmbedding Turned(
        ConceptEmbedding concept,
        DirectionalVectors word,
        double angle,
        double share
    )
    {
        var vectors = concept.Encoders[0];
        var target = new DirectionalVectors(
            [.. Enumerable.Repeat(word.Embedding(0), vectors.Count)],
            [.. Enumerable.Repeat(word.Magnitudes[0], vectors.Count)]
        );
        var turned = Slerp.Between(concept, concept with { Encoders = [target] }, angle).Encoders[0];
        return concept with
        {
            Encoders =
            [
                new DirectionalVectors(
                    [.. Enumerable.Range(0, vectors.Count).Select(turned.Embedding)],
                    [.. vectors.Magnitudes.Select(norm => (float)(((1 - share) * norm) + (share * word.Magnitudes[0])))]
                ),
            ],
        };
    }
}

/// <summary>What is done with a concept's vectors after training.</summary>
internal enum Adjustment
{
    None,

    /// <summary>They are set to the vocabulary's mean norm.</summary>
    Rescaled,

    /// <summary>They are moved toward the initial word.</summary>
    TestTime,
}

/// <summary>The word from which a design's concept starts.</summary>
internal enum InitialWord
{
    /// <summary>That of its family.</summary>
    Family,

    /// <summary>The kind of object that <see cref="NearestWord"/> finds: a shape or a family.</summary>
    NearestKind,

    /// <summary>The name of a design that <see cref="NearestWord"/> finds.</summary>
    NearestName,
}
