namespace Dti.Engine.Training;

/// <summary>A preset of several settings. Settings that are given individually take precedence.</summary>
public enum TrainingPreset
{
    /// <summary>Most of what can be learnt in little time.</summary>
    Fast,

    /// <summary>What suits the model.</summary>
    Balanced,

    /// <summary>As like the photos as it gets, at some cost to long prompts.</summary>
    Faithful,
}

/// <summary>What presets and the slider between likeness and obedience come to.</summary>
internal static class TrainingPresets
{
    /// <summary>Share of the model's steps.</summary>
    public static double Steps(TrainingPreset preset) =>
        preset switch
        {
            TrainingPreset.Fast => 0.5,
            TrainingPreset.Faithful => 2,
            _ => 1,
        };

    /// <summary>κ for a wish.</summary>
    /// <param name="obedience">0: all likeness, κ is 0; 0.5: what suits the model; 1: all obedience, ten times
    /// that.</param>
    /// <param name="middle">κ that suits the model.</param>
    public static double Kappa(double obedience, double middle) =>
        obedience <= 0 ? 0 : middle * Math.Pow(10, (2 * obedience) - 1);
}
