using System.Text.Json;

namespace Dti.Engine.Models;

/// <summary>
/// What a model's own folder says of training with it (<c>dti.json</c>), where its maker has measured what suits it:
/// <c>{"training": {"learning_rate": 0.08, "steps": 200, "kappa": 0.01}}</c>. For Directional Textual Inversion; other
/// methods keep their defaults.
/// </summary>
/// <param name="LearningRate">η; null: the published one.</param>
/// <param name="Steps">Of any method; null: the published ones.</param>
/// <param name="Kappa">κ; null: the published one. What is much and what is little goes by the gradients of a
/// model.</param>
public sealed record TrainingDefaults(double? LearningRate = null, int? Steps = null, double? Kappa = null)
{
    /// <summary>Reads a folder's notes; nothing where they do not speak of it.</summary>
    /// <exception cref="DtiException">A value is out of range.</exception>
    internal static TrainingDefaults Of(ModelNotes notes)
    {
        if (notes.Find("training", JsonValueKind.Object) is not { } training)
        {
            return new TrainingDefaults();
        }

        double? Number(string name, double max) =>
            !training.TryGetProperty(name, out var value) ? null
            : value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && number > 0 && number <= max
                ? number
            : throw notes.Bad($"{name} must be a number above 0 and at most {max}");
        return new TrainingDefaults(Number("learning_rate", 1), (int?)Number("steps", 100_000), Number("kappa", 10));
    }
}
