using static TorchSharp.torch;

namespace Dti.Mini.Training;

/// <summary>
/// AdamW (arXiv 1711.05101) over <see cref="FreshWeights"/>, <see cref="Muon"/> for the matrices if asked, and an
/// exponential moving average of the weights.
/// </summary>
internal sealed class FlatOptimizer
{
    private const double Beta1 = 0.9;
    private readonly FreshWeights _weights;
    private readonly double _beta2;
    private readonly double _maxNorm;
    private readonly Tensor _gradient;
    private readonly Tensor _decay;
    private readonly Tensor _keep; // share of the old in the first moment
    private readonly FlatWeight[] _matrices;

    /// <param name="weights">What to learn.</param>
    /// <param name="weightDecay">Of matrices and kernels; embeddings, norms and biases keep their size.</param>
    /// <param name="beta2">Of the second moment.</param>
    /// <param name="maxNorm">Longer gradients are shortened to this.</param>
    /// <param name="muon">Take Muon's step for the weights that <see cref="Muon.Takes"/>.</param>
    public FlatOptimizer(
        FreshWeights weights,
        double weightDecay,
        double beta2 = 0.98,
        double maxNorm = 1,
        bool muon = false
    )
    {
        (_weights, _beta2, _maxNorm) = (weights, beta2, maxNorm);
        using var frozen = no_grad();
        FirstMoment = zeros_like(weights.Master).DetachFromDisposeScope();
        SecondMoment = zeros_like(weights.Master).DetachFromDisposeScope();
        Average = weights.Master.clone().DetachFromDisposeScope();
        _gradient = zeros_like(weights.Master).DetachFromDisposeScope();
        _decay = zeros_like(weights.Master).DetachFromDisposeScope();
        foreach (
            var weight in weights.Entries.Where(entry =>
                entry.Shape.Length >= 2 && !entry.Name.Contains("embedding", StringComparison.Ordinal)
            )
        )
        {
            weight.In(_decay).fill_(weightDecay);
        }

        _keep = full_like(weights.Master, Beta1).DetachFromDisposeScope();
        _matrices = [.. weights.Entries.Where(entry => muon && Muon.Takes(entry.Name, entry.Shape))];
        Array.ForEach(_matrices, matrix => matrix.In(_keep).fill_(Muon.Momentum));
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

        FirstMoment.mul_(_keep).addcmul_(_gradient, 1 - _keep, 1);
        SecondMoment.mul_(_beta2).addcmul_(_gradient, _gradient, 1 - _beta2);
        var root = (SecondMoment / (1 - Math.Pow(_beta2, step))).sqrt_().add_(1e-8);
        var update = FirstMoment / root / (1 - Math.Pow(Beta1, step));
        Orthogonalise(update, replicas.Count);
        var master = _weights.Master;
        master.addcmul_(master, _decay, -learningRate);
        master.add_(update, -learningRate);
        var keep = Math.Min(average, (1.0 + step) / (10.0 + step));
        Average.mul_(keep).add_(master, 1 - keep);
        _weights.Compute.copy_(master);
        return norm;
    }

    /// <summary>Puts Muon's steps in the places of its matrices.</summary>
    private void Orthogonalise(Tensor update, int threads) =>
        Parallel.For(0, _matrices.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
        {
            set_num_threads(1);
            using var frozen = no_grad();
            using var scope = NewDisposeScope();
            var matrix = _matrices[i];
            matrix.In(update).copy_(Muon.Step(matrix.In(_gradient).lerp(matrix.In(FirstMoment), Muon.Momentum)));
        });

    private void Gather(IReadOnlyList<IReadOnlyList<Tensor>> replicas)
    {
        for (var replica = 0; replica < replicas.Count; replica++)
        {
            for (var i = 0; i < _weights.Entries.Count; i++)
            {
                var target = _weights.Entries[i].In(_gradient);
                if (replicas[replica][i].grad is not { } gradient)
                {
                    if (replica == 0)
                    {
                        target.zero_();
                    }

                    continue;
                }

                _ = replica == 0 ? target.copy_(gradient) : target.add_(gradient);
                gradient.zero_();
            }
        }
    }
}
