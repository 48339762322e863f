using Dti.Engine.Concepts;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// The only parameters of a DTI run: unit directions v of the placeholder tokens, with magnitudes m that stay as they are.
/// The text encoder sees e = m·v (arXiv 2512.13672, section 4.1). Always fp32, whatever the model computes in.
/// </summary>
internal sealed class DirectionalEmbedding : IDisposable
{
    /// <param name="initial">(n, d) embeddings of the initial word; their directions are the start.</param>
    /// <param name="magnitude">m, the same for each vector.</param>
    public DirectionalEmbedding(Tensor initial, double magnitude)
    {
        using var scope = NewDisposeScope();
        var rows = initial.to(ScalarType.Float32);
        Initial = (rows / rows.norm(1, keepdim: true, p: 2f).clamp(min: 1e-6)).DetachFromDisposeScope();
        Directions = Initial.clone().requires_grad_(true).DetachFromDisposeScope();
        Magnitude = magnitude;
    }

    /// <summary>v: (n, d), each row of norm 1; a leaf that takes gradients.</summary>
    public Tensor Directions { get; }

    /// <summary>μ, the directions at the start: (n, d).</summary>
    public Tensor Initial { get; }

    /// <summary>m.</summary>
    public double Magnitude { get; }

    /// <summary>e = m·v, (n, d), differentiable with respect to v.</summary>
    public Tensor Rows() => Directions * Magnitude;

    /// <summary>Mean angle between v and μ, degrees.</summary>
    public double AngleDegrees()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        // atan2 of the chord's two halves: exact also where the cosine rounds to 1.
        var half = atan2((Directions - Initial).norm(1, keepdim: false, p: 2f), (Directions + Initial).norm(1, keepdim: false, p: 2f));
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
    public DirectionalVectors ToVectors()
    {
        using var scope = NewDisposeScope();
        var values = Directions.detach().cpu().data<float>().ToArray();
        var width = (int)Directions.shape[1];
        return new DirectionalVectors([.. values.Chunk(width)], [.. Enumerable.Repeat((float)Magnitude, values.Length / width)]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Directions.Dispose();
        Initial.Dispose();
    }
}
