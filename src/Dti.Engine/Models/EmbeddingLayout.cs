namespace Dti.Engine.Models;

/// <summary>One text encoder's vectors in an embedding file for several encoders.</summary>
/// <param name="Key">The tensor's name: <c>clip_l</c>.</param>
/// <param name="Width">Width of the published model's token embeddings.</param>
public sealed record EmbeddingKey(string Key, int Width);

/// <summary>What the embedding files of a kind of model hold.</summary>
/// <param name="Family"><c>sd1</c>, <c>sdxl</c>, …</param>
/// <param name="Keys">One per text encoder.</param>
public sealed record EmbeddingLayout(string Family, IReadOnlyList<EmbeddingKey> Keys);
