using Dti.Engine.Models;
using Dti.Engine.Models.Families;

namespace Dti.Engine.Concepts;

/// <summary>
/// Whether a concept belongs to a model: it has one set of vectors per text encoder, each of that encoder's width, and
/// was not learnt with a model of another family.
/// </summary>
public static class ConceptFit
{
    /// <summary>
    /// Whether a concept has vectors of the widths of this model's text encoders, and is of no other family.
    /// </summary>
    public static bool Fits(this ModelProfile profile, ConceptEmbedding concept)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(concept);
        return concept.Dimensions.SequenceEqual(profile.Encoders.Select(encoder => encoder.Dimension))
            && !IsOfAnotherFamily(concept, profile);
    }

    /// <summary>
    /// Checks that a concept has vectors of the widths of this model's text encoders, and is of no other family.
    /// </summary>
    /// <exception cref="DtiException">It does not fit; the message names both families and their widths.</exception>
    public static void EnsureFits(this ModelProfile profile, ConceptEmbedding concept)
    {
        if (!profile.Fits(concept))
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{concept.Placeholder}{((concept.Family ?? concept.PublishedFamily) is { } family ? $" is of the family {family} and" : "")} has vectors of width {string.Join(" + ", concept.Dimensions)}; "
                    + $"model {profile.Name}{(profile.Family.Length > 0 ? $" is of the family {profile.Family} and" : "")} needs "
                    + $"{string.Join(" + ", profile.Encoders.Select(encoder => encoder.Dimension))}. "
                    + "A concept works with models of the family that it was trained with."
            );
        }
    }

    /// <summary>Whether both name families, and different ones; sd1, sd2 and sdxl are one family of models.</summary>
    private static bool IsOfAnotherFamily(ConceptEmbedding concept, ModelProfile profile) =>
        concept.Family is { } family
        && ModelFamilies.BuiltIn.Of(family) is { } own
        && ModelFamilies.BuiltIn.Of(profile.Family) is { } other
        && own != other;
}
