using Dti.Engine.Concepts;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>The embedding e itself, direction and norm, as Textual Inversion learns it (arXiv 2208.01618).</summary>
/// <param name="start">(n, d) embeddings: the start, norms included.</param>
/// <param name="toward">(n, d) embeddings from whose directions angles are measured; null: the start.</param>
internal sealed class FreeEmbedding(Tensor start, Tensor? toward = null)
    : TrainableEmbedding(start, toward, (_, rows) => rows)
{
    /// <inheritdoc/>
    public override Tensor Rows() => Parameter;

    /// <inheritdoc/>
    public override DirectionalVectors ToVectors() => DirectionalVectors.FromEmbeddings(Values());
}
