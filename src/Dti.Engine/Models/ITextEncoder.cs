using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>A text encoder, as far as learning an embedding needs it whatever the family.</summary>
public interface ITextEncoder
{
    /// <summary>The vocabulary: (V, d).</summary>
    Tensor TokenEmbedding { get; }

    /// <summary>The states of the last layer, final norm included: (B, L, d).</summary>
    /// <param name="inputIds">(B, L) int64; ids from V on are rows of <paramref name="conceptRows"/>.</param>
    /// <param name="conceptRows">(r, d) embeddings of placeholder tokens V, V+1, …; null: none.</param>
    Tensor LastHiddenState(Tensor inputIds, Tensor? conceptRows = null);
}
