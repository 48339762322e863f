using Dti.Engine.Concepts;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>The embedding e itself, direction and norm, as Textual Inversion learns it (arXiv 2208.01618).</summary>
/// <param name="initial">(n, d) embeddings of the initial word: the start, norms included.</param>
internal sealed class FreeEmbedding(Tensor initial) : TrainableEmbedding(initial, (_, rows) => rows)
{
    /// <inheritdoc/>
    public override Tensor Rows() => Parameter;

    /// <inheritdoc/>
    public override DirectionalVectors ToVectors() => DirectionalVectors.FromEmbeddings(Values());
}
