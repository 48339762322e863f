using Dti.Engine.Models;
using Dti.Engine.Models.Families;

namespace Dti.Engine.Concepts;

/// <summary>
/// A concept: what stands for it in prompts, and its vectors for each text encoder of the model family.
/// </summary>
/// <param name="Placeholder">The first placeholder token, <c>&lt;my-cat&gt;</c>; further vectors are
/// <c>&lt;my-cat&gt;_1</c>, ….</param>
/// <param name="Encoders">One set of vectors per text encoder; Stable Diffusion 1.x and 2.x have one.</param>
/// <param name="Keys">What each set is called in files for several encoders: <c>clip_l</c>, <c>clip_g</c>; null: as
/// families with that many encoders call them.</param>
/// <param name="Family">The family of the model that it was learnt with; null: unknown.</param>
public sealed record ConceptEmbedding(
    string Placeholder,
    IReadOnlyList<DirectionalVectors> Encoders,
    IReadOnlyList<string>? Keys = null,
    string? Family = null
)
{
    /// <summary>The number of vectors, the same in each encoder.</summary>
    public int VectorCount => Encoders[0].Count;

    /// <summary>Width of the vectors for each encoder.</summary>
    public IReadOnlyList<int> Dimensions => [.. Encoders.Select(encoder => encoder.Dimension)];

    /// <summary>
    /// <c>sd1</c>, <c>sd2</c>, <c>sdxl</c> or <c>sana</c>, by the widths of their published models; null: vectors of no such width.
    /// </summary>
    public string? PublishedFamily => ModelFamilies.BuiltIn.PublishedEmbeddings(Dimensions)?.Family;

    /// <summary>
    /// The same directions, each with the mean norm of a model's vocabulary: what DTI keeps to, made of what plain
    /// textual inversion let grow.
    /// </summary>
    /// <param name="profile">A model of the concept's family.</param>
    /// <exception cref="DtiException">The concept does not fit the model, or its weights cannot be read.</exception>
    public ConceptEmbedding Rescaled(ModelProfile profile)
    {
        profile.EnsureFits(this);
        return this with
        {
            Encoders =
            [
                .. Encoders.Zip(profile.Encoders, (vectors, encoder) =>
                    vectors.WithMagnitude((float)encoder.VocabularyNorms.Mean)
                ),
            ],
        };
    }
}
