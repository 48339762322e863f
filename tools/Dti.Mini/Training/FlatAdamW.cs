using static TorchSharp.torch;

namespace Dti.Mini.Training;

/// <summary>AdamW (arXiv 1711.05101) over <see cref="FreshWeights"/>, with an exponential moving average of the weights.</summary>
internal sealed class FlatAdamW
{
    private const double Beta1 = 0.9;
    private readonly FreshWeights _weights;
    private readonly double _beta2;
    private readonly double _maxNorm;
    private readonly Tensor _gradient;
    private readonly Tensor _decay;

    /// <param name="weights">What to learn.</param>
    /// <param name="weightDecay">Of matrices and kernels; embeddings, norms and biases keep their size.</param>
    /// <param name="beta2">Of the second moment.</param>
    /// <param name="maxNorm">Longer gradients are shortened to this.</param>
    public FlatAdamW(FreshWeights weights, double weightDecay, double beta2 = 0.98, double maxNorm = 1)
    {
        (_weights, _beta2, _maxNorm) = (weights, beta2, maxNorm);
        using var frozen = no_grad();
        FirstMoment = zeros_like(weights.Master).DetachFromDisposeScope();
        SecondMoment = zeros_like(weights.Master).DetachFromDisposeScope();
        Average = weights.Master.clone().DetachFromDisposeScope();
        _gradient = zeros_like(weights.Master).DetachFromDisposeScope();
        _decay = zeros_like(weights.Master).DetachFromDisposeScope();
        foreach (var (name, shape, offset) in weights.Entries.Where(entry => entry.Shape.Length >= 2 && !entry.Name.Contains("embedding", StringComparison.Ordinal)))
        {
            _decay.narrow(0, offset, shape.Aggregate(1L, (a, b) => a * b)).fill_(weightDecay);
        }
    }

    public Tensor FirstMoment { get; }

    public Tensor SecondMoment { get; }

    /// <summary>The moving average of the weights, flat.</summary>
    public Tensor Average { get; }

    /// <summary>Takes the gradients of all replicas, adds them up, and makes one step.</summary>
    /// <param name="replicas">Leaves per replica.</param>
    /// <param name="step">1, 2, …</param>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="average">Share of the old in the moving average; rises over the first steps by itself.</param>
    /// <returns>The length of the gradient.</returns>
    public double Step(IReadOnlyList<IReadOnlyList<Tensor>> replicas, int step, double learningRate, double average)
    {
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        Gather(replicas);
        var norm = _gradient.norm().item<float>();
        if (!float.IsFinite(norm))
        {
            return norm; // a step that overflowed teaches nothing
        }

        if (norm > _maxNorm)
        {
            _gradient.mul_(_maxNorm / norm);
        }

        FirstMoment.mul_(Beta1).add_(_gradient, 1 - Beta1);
        SecondMoment.mul_(_beta2).addcmul_(_gradient, _gradient, 1 - _beta2);
        var root = (SecondMoment / (1 - Math.Pow(_beta2, step))).sqrt_().add_(1e-8);
        var master = _weights.Master;
        master.addcmul_(master, _decay, -learningRate);
        master.addcdiv_(FirstMoment, root, -learningRate / (1 - Math.Pow(Beta1, step)));
        var keep = Math.Min(average, (1.0 + step) / (10.0 + step));
        Average.mul_(keep).add_(master, 1 - keep);
        _weights.Compute.copy_(master);
        return norm;
    }

    private void Gather(IReadOnlyList<IReadOnlyList<Tensor>> replicas)
    {
        for (var replica = 0; replica < replicas.Count; replica++)
        {
            for (var i = 0; i < _weights.Entries.Count; i++)
            {
                var (_, shape, offset) = _weights.Entries[i];
                var target = _gradient.narrow(0, offset, shape.Aggregate(1L, (a, b) => a * b));
                if (replicas[replica][i].grad is not { } gradient)
                {
                    if (replica == 0)
                    {
                        target.zero_();
                    }

                    continue;
                }

                _ = replica == 0 ? target.copy_(gradient.flatten()) : target.add_(gradient.flatten());
                gradient.zero_();
            }
        }
    }
}
