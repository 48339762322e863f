using Dti.Engine.Concepts;

namespace Dti.Engine.Training.Methods;

/// <summary>
/// Textual Inversion whose vectors are set to the magnitude when they are saved; they train with norms of their own.
/// </summary>
internal sealed class RescaledTextualInversion : TextualInversion
{
    /// <inheritdoc/>
    public override DirectionalVectors Result(TrainableEmbedding embedding, double magnitude) =>
        base.Result(embedding, magnitude).WithMagnitude((float)magnitude);
}
