namespace Dti.Engine.Training;

/// <summary>A row of settings for a purpose. What is asked for by itself goes before it.</summary>
public enum TrainingPreset
{
    /// <summary>Most of what can be learnt in little time.</summary>
    Fast,

    /// <summary>What suits the model.</summary>
    Balanced,

    /// <summary>As like the photos as it gets, at some cost to long prompts.</summary>
    Faithful,
}

/// <summary>What presets and the slider between likeness and obedience come to; measured in docs/dti-mini.md.</summary>
internal static class TrainingPresets
{
    // κ at the middle of the slider is the paper's; a tenth of the slider is a factor of 10^(2/5).
    private const double KappaInTheMiddle = 1e-4;
    private const double DecadesToEachEnd = 2;

    /// <summary>Share of the model's steps.</summary>
    public static double Steps(TrainingPreset preset) => preset switch
    {
        TrainingPreset.Fast => 0.5,
        TrainingPreset.Faithful => 2,
        _ => 1,
    };

    /// <summary>κ for a wish.</summary>
    /// <param name="obedience">0: all likeness, κ is 0; 0.5: the paper's 1e-4; 1: all obedience, 1e-2.</param>
    public static double Kappa(double obedience) => obedience <= 0 ? 0 : KappaInTheMiddle * Math.Pow(10, DecadesToEachEnd * ((2 * obedience) - 1));
}
