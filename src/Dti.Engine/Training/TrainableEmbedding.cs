using Dti.Engine.Concepts;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// The only parameters of a training run: the vectors of the placeholder tokens. Always fp32, whatever the model
/// computes in.
/// </summary>
internal abstract class TrainableEmbedding : IDisposable
{
    /// <param name="start">(n, d) embeddings to start from.</param>
    /// <param name="toward">(n, d) embeddings whose directions are μ; null: the start.</param>
    /// <param name="parameter">From directions (n, d) and embeddings (n, d) at the start to what is learnt.</param>
    protected TrainableEmbedding(Tensor start, Tensor? toward, Func<Tensor, Tensor, Tensor> parameter)
    {
        using var scope = NewDisposeScope();
        var rows = start.to(ScalarType.Float32);
        Initial = Directions(toward?.to(ScalarType.Float32) ?? rows).DetachFromDisposeScope();
        Parameter = parameter(Directions(rows), rows).detach().clone().requires_grad_(true).DetachFromDisposeScope();
        static Tensor Directions(Tensor rows) => rows / rows.norm(1, keepdim: true, p: 2f).clamp(min: 1e-6);
    }

    /// <summary>What the optimiser changes: (n, d), a leaf that takes gradients.</summary>
    public Tensor Parameter { get; }

    /// <summary>
    /// μ, the directions of the initial word, or of the concept that training continues from: (n, d), rows of norm 1.
    /// </summary>
    public Tensor Initial { get; }

    /// <summary>
    /// e, what the text encoder sees: (n, d), differentiable with respect to <see cref="Parameter"/>.
    /// </summary>
    public abstract Tensor Rows();

    /// <summary>Mean angle between the directions of e and μ, degrees.</summary>
    public double AngleDegrees()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var rows = Rows();
        var directions = rows / rows.norm(1, keepdim: true, p: 2f);

        // atan2 of the chord's two halves: exact also where the cosine rounds to 1.
        var half = atan2(
            (directions - Initial).norm(1, keepdim: false, p: 2f),
            (directions + Initial).norm(1, keepdim: false, p: 2f)
        );
        return 2 * half.mean().item<float>() * (180 / Math.PI);
    }

    /// <summary>Mean norm of e.</summary>
    public double Norm()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        return Rows().norm(1, keepdim: false, p: 2f).mean().item<float>();
    }

    /// <summary>A copy that outlives the run.</summary>
    public abstract DirectionalVectors ToVectors();

    /// <inheritdoc/>
    public void Dispose()
    {
        Parameter.Dispose();
        Initial.Dispose();
    }

    /// <summary>The parameter's values, a row per vector.</summary>
    protected float[][] Values()
    {
        using var scope = NewDisposeScope();
        return [.. Parameter.detach().cpu().data<float>().ToArray().Chunk((int)Parameter.shape[1])];
    }
}
