using Dti.Engine.Concepts;
using Dti.Engine.Models;

namespace Dti.Engine.Generation;

/// <summary>How t runs over the frames of an interpolation.</summary>
public enum Easing
{
    /// <summary>Evenly.</summary>
    Linear,

    /// <summary>Slowly at both ends: 3t² − 2t³.</summary>
    Smooth,
}

/// <summary>What an interpolation uses.</summary>
public sealed record InterpolationSettings
{
    /// <summary>What stands for the blend in the prompt.</summary>
    public const string ConceptMark = "{concept}";

    private InterpolationSettings(GenerationSettings generation) => Generation = generation;

    /// <summary>Images, 2 to 256, both ends included. Default 8.</summary>
    public int Frames { get; private init; }

    /// <summary>Default: linear.</summary>
    public Easing Easing { get; private init; }

    /// <summary>
    /// Everything else; its prompt holds <see cref="ConceptMark"/>, and its seed gives every frame the same noise.
    /// </summary>
    public GenerationSettings Generation { get; }

    /// <summary>Angle between the two concepts' directions, degrees, one per vector and encoder.</summary>
    public IReadOnlyList<double> AnglesDegrees { get; private init; } = [];

    /// <summary>Fills in defaults and checks every value.</summary>
    /// <param name="frames">Images; null: 8.</param>
    /// <param name="easing">Null: linear.</param>
    /// <param name="prompt">Holds <see cref="ConceptMark"/>; null: "a photo of {concept}".</param>
    /// <param name="options">Everything else; its prompt and image count are not used.</param>
    /// <param name="from">The concept at t = 0.</param>
    /// <param name="to">The concept at t = 1.</param>
    /// <param name="profile">The model.</param>
    /// <param name="newSeed">Chooses a seed where none was given; null: one must be.</param>
    /// <exception cref="ValidationException">Names every wrong field.</exception>
    /// <exception cref="DtiException">The concepts cannot be blended: they have different numbers of vectors or
    /// widths.</exception>
    public static InterpolationSettings Resolve(
        int? frames,
        Easing? easing,
        string? prompt,
        GenerationOptions options,
        ConceptEmbedding from,
        ConceptEmbedding to,
        ModelProfile profile,
        Func<ulong>? newSeed = null
    )
    {
        var found = new Violations();
        var text = prompt ?? $"a photo of {ConceptMark}";
        var generation = GenerationSettings.Resolve(
            options with
            {
                Prompt = text,
                ImageCount = 1,
            },
            profile,
            newSeed,
            found
        );
        found.Range("frames", frames ?? 8, 2, 256);
        if (!text.Contains(ConceptMark, StringComparison.Ordinal))
        {
            found.Add("prompt", $"prompt must contain {ConceptMark}, where the blend goes.");
        }

        found.ThrowIfAny();
        return new InterpolationSettings(generation)
        {
            Frames = frames ?? 8,
            Easing = easing ?? Easing.Linear,
            AnglesDegrees = Slerp.AnglesDegrees(from, to),
        };
    }

    /// <summary>t of a frame, after easing: 0 to 1.</summary>
    public double T(int frame)
    {
        var t = (double)frame / (Frames - 1);
        return Easing == Easing.Smooth ? t * t * (3 - (2 * t)) : t;
    }
}
