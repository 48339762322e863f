namespace Dti.Engine.Schedulers;

/// <summary>Prediction types by diffusers' names.</summary>
public static class PredictionTypes
{
    private static readonly Dictionary<string, PredictionType> _known = new(StringComparer.Ordinal)
    {
        ["epsilon"] = PredictionType.Epsilon,
        ["flow"] = PredictionType.Flow,
        ["v_prediction"] = PredictionType.VPrediction,
    };

    /// <summary>The type in use: the one that was asked, else the model's own.</summary>
    /// <param name="name">A name, or null.</param>
    /// <param name="config">The model's config.</param>
    /// <exception cref="DtiException">There is none of that name.</exception>
    public static PredictionType Resolve(string? name, NoiseProcessConfig config) =>
        name is null ? config.PredictionType
        : Find(name) is { } type && config.Predictions.Contains(type) ? type
        : throw new DtiException(
            ErrorKind.InvalidArgument,
            $"prediction_type '{name}' is not one of {string.Join(", ", config.Predictions.Select(NameOf))}.",
            "prediction_type"
        );

    /// <summary>The type of a name; null: there is none.</summary>
    internal static PredictionType? Find(string name) => _known.TryGetValue(name, out var type) ? type : null;

    /// <summary>The name of a type.</summary>
    public static string NameOf(PredictionType type) => _known.Single(pair => pair.Value == type).Key;
}
