using Dti.Engine.Concepts;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// Unit directions v with magnitudes m that stay as they are: the text encoder sees e = m·v (arXiv 2512.13672, section
/// 4.1).
/// </summary>
/// <param name="start">(n, d) embeddings whose directions are the start.</param>
/// <param name="magnitude">m, the same for each vector.</param>
/// <param name="toward">(n, d) embeddings whose directions are μ; null: the start.</param>
internal sealed class DirectionalEmbedding(Tensor start, double magnitude, Tensor? toward = null)
    : TrainableEmbedding(start, toward, (directions, _) => directions)
{
    /// <summary>v: (n, d), each row of norm 1.</summary>
    public Tensor Directions => Parameter;

    /// <inheritdoc/>
    public override Tensor Rows() => Directions * magnitude;

    /// <inheritdoc/>
    public override DirectionalVectors ToVectors()
    {
        var directions = Values();
        return new DirectionalVectors(directions, [.. Enumerable.Repeat((float)magnitude, directions.Length)]);
    }
}
