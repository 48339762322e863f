using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// Riemannian SGD on a product of unit spheres with one adaptive scalar per row (arXiv 2512.13672, algorithm 1; the
/// reference implementation's SphericalSGD). With β = 0 each step has length η whatever the gradient's size.
/// </summary>
internal sealed class SphericalSgd : IEmbeddingOptimizer
{
    private const double Eps = 1e-8;
    private readonly Tensor _v;
    private readonly double _beta;
    private readonly VonMisesFisherPrior _prior;

    /// <param name="directions">v: (n, d) fp32, rows of norm 1; changed in place by each step.</param>
    /// <param name="learningRate">η.</param>
    /// <param name="beta">β of the second moment, 0 ≤ β &lt; 1.</param>
    /// <param name="prior">The prior, whose term is added before the projection.</param>
    public SphericalSgd(Tensor directions, double learningRate, double beta, VonMisesFisherPrior prior)
    {
        _v = directions;
        LearningRate = learningRate;
        _beta = beta;
        _prior = prior;
        SecondMoment = zeros([directions.shape[0], 1], directions.dtype, directions.device).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public double LearningRate { get; set; }

    /// <summary>Running mean of ‖g‖² per row, (n, 1).</summary>
    public Tensor SecondMoment { get; }

    /// <inheritdoc/>
    public int StepCount { get; set; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> State =>
        new Dictionary<string, Tensor> { ["second_moment"] = SecondMoment };

    /// <summary>One step along the sphere against the gradient.</summary>
    /// <param name="gradient">∂loss/∂v, (n, d), without the prior's term.</param>
    public void Step(Tensor gradient)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        StepCount++;
        var g = _prior.AddTo(gradient, StepCount);
        g = g - ((g * _v).sum(-1, keepdim: true) * _v); // onto the tangent space
        SecondMoment.mul_(_beta).add_((g * g).sum(-1, keepdim: true) * (1 - _beta));
        g = g / ((SecondMoment / (1 - Math.Pow(_beta, StepCount))).sqrt() + Eps);
        var moved = _v - (LearningRate * g);
        _v.copy_(moved / moved.norm(-1, keepdim: true, p: 2f)); // retraction
    }

    /// <inheritdoc/>
    public void Dispose() => SecondMoment.Dispose();
}
