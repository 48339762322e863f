using System.Text.Json;

namespace Dti.Engine.Models;

/// <summary>
/// What a model's own folder says of training with it (<c>dti.json</c>), where its maker has measured what suits it:
/// <c>{"training": {"learning_rate": 0.08, "learning_rate_schedule": "cosine", "steps": 200, "kappa": 0.01, "start":
/// "photos"}}</c>. For Directional Textual Inversion; other methods keep their defaults.
/// </summary>
/// <param name="LearningRate">η; null: the published one.</param>
/// <param name="Steps">Of any method; null: the published ones.</param>
/// <param name="Kappa">κ; null: the published one. What is much and what is little goes by the gradients of a
/// model.</param>
/// <param name="LearningRateSchedule">How η goes over a run; null: constant.</param>
/// <param name="WeightDecay">Of AdamW, where a method does not rule it out; null: 0.01.</param>
/// <param name="Start">Where training starts; null: at the initializer.</param>
public sealed record TrainingDefaults(
    double? LearningRate = null,
    int? Steps = null,
    double? Kappa = null,
    LearningRateSchedule? LearningRateSchedule = null,
    double? WeightDecay = null,
    TrainingStart? Start = null
)
{
    /// <summary>Reads a folder's notes.</summary>
    /// <param name="notes">The notes.</param>
    /// <param name="published">What holds where they do not speak of it; null: nothing.</param>
    /// <exception cref="DtiException">A value is out of range.</exception>
    internal static TrainingDefaults Of(ModelNotes notes, TrainingDefaults? published = null)
    {
        if (notes.Find("training", JsonValueKind.Object) is not { } training)
        {
            return published ?? new TrainingDefaults();
        }

        double? Number(string name, double max) =>
            !training.TryGetProperty(name, out var value) ? null
            : value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && number > 0 && number <= max
                ? number
            : throw notes.Bad($"{name} must be a number above 0 and at most {max}");

        T? Word<T>(string name, string words)
            where T : struct, Enum =>
            !training.TryGetProperty(name, out var value) ? null
            : value.ValueKind == JsonValueKind.String
            && Array.FindAll(Enum.GetValues<T>(), IsNamed<T>(value.GetString()!)) is [var named]
                ? named
            : throw notes.Bad($"{name} must be {words}");

        static Predicate<T> IsNamed<T>(string name)
            where T : struct, Enum =>
            value => string.Equals(value.ToString(), name, StringComparison.OrdinalIgnoreCase);

        return new TrainingDefaults(
            Number("learning_rate", 1) ?? published?.LearningRate,
            (int?)Number("steps", 100_000) ?? published?.Steps,
            Number("kappa", 10) ?? published?.Kappa,
            Word<LearningRateSchedule>("learning_rate_schedule", "constant, linear or cosine")
                ?? published?.LearningRateSchedule,
            published?.WeightDecay,
            Word<TrainingStart>("start", "word or photos") ?? published?.Start
        );
    }
}
