using Dti.Engine.Models;

namespace Dti.Engine.Concepts;

/// <summary>
/// Whether a concept belongs to a model: it has one set of vectors per text encoder, each of that encoder's width.
/// </summary>
public static class ConceptFit
{
    /// <summary>Whether a concept has vectors of the widths of this model's text encoders.</summary>
    public static bool Fits(this ModelProfile profile, ConceptEmbedding concept)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(concept);
        return concept.Dimensions.SequenceEqual(profile.Encoders.Select(encoder => encoder.Dimension));
    }

    /// <summary>Checks that a concept has vectors of the widths of this model's text encoders.</summary>
    /// <exception cref="DtiException">It has not.</exception>
    public static void EnsureFits(this ModelProfile profile, ConceptEmbedding concept)
    {
        if (!profile.Fits(concept))
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{concept.Placeholder} has vectors of width {string.Join(" + ", concept.Dimensions)}; model {profile.Name} needs "
                    + $"{string.Join(" + ", profile.Encoders.Select(encoder => encoder.Dimension))}. "
                    + "A concept works with models whose text encoders have the widths of those it was trained with."
            );
        }
    }
}
