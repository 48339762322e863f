namespace Dti.Engine.Concepts;

/// <summary>A concept: what stands for it in prompts, and its vectors for each text encoder of the model family.</summary>
/// <param name="Placeholder">The first placeholder token, <c>&lt;my-cat&gt;</c>; further vectors are <c>&lt;my-cat&gt;_1</c>, ….</param>
/// <param name="Encoders">One set of vectors per text encoder; Stable Diffusion 1.x and 2.x have one.</param>
public sealed record ConceptEmbedding(string Placeholder, IReadOnlyList<DirectionalVectors> Encoders)
{
    /// <summary>The number of vectors, the same in each encoder.</summary>
    public int VectorCount => Encoders[0].Count;
}
