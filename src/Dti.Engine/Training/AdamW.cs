using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// AdamW (arXiv 1711.05101) with PyTorch's defaults β = (0.9, 0.999), ε = 1e-8: how Textual Inversion is trained
/// (diffusers' textual_inversion.py).
/// </summary>
internal sealed class AdamW : IEmbeddingOptimizer
{
    /// <summary>Weight decay of Textual Inversion, as diffusers trains it.</summary>
    public const double PublishedWeightDecay = 1e-2;

    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Eps = 1e-8;
    private readonly Tensor _parameter;
    private readonly double _weightDecay;
    private readonly Renormalization? _renormalization;
    private readonly StartRegularizer? _regularizer;
    private readonly Tensor _firstMoment;
    private readonly Tensor _secondMoment;

    /// <param name="parameter">e: (n, d) fp32, changed in place by each step.</param>
    /// <param name="learningRate">η.</param>
    /// <param name="weightDecay">Decoupled from the gradient.</param>
    /// <param name="renormalization">What happens to the rows' norms after each step, moments untouched; null:
    /// nothing.</param>
    /// <param name="regularizer">Its gradient is added to the loss's; disposed of with this. Null: none.</param>
    public AdamW(
        Tensor parameter,
        double learningRate,
        double weightDecay,
        Renormalization? renormalization = null,
        StartRegularizer? regularizer = null
    )
    {
        (_parameter, LearningRate, _weightDecay) = (parameter, learningRate, weightDecay);
        (_renormalization, _regularizer) = (renormalization, regularizer);
        _firstMoment = zeros_like(parameter, requires_grad: false).DetachFromDisposeScope();
        _secondMoment = zeros_like(parameter, requires_grad: false).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public double LearningRate { get; set; }

    /// <inheritdoc/>
    public int StepCount { get; set; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> State
    {
        get
        {
            var state = new Dictionary<string, Tensor>
            {
                ["first_moment"] = _firstMoment,
                ["second_moment"] = _secondMoment,
            };
            if (_regularizer is not null)
            {
                state.Add("start", _regularizer.Start);
            }

            return state;
        }
    }

    /// <inheritdoc/>
    public void Step(Tensor gradient)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        StepCount++;
        gradient = _regularizer?.AddTo(gradient, _parameter) ?? gradient;
        _parameter.mul_(1 - (LearningRate * _weightDecay));
        _firstMoment.mul_(Beta1).add_(gradient, alpha: 1 - Beta1);
        _secondMoment.mul_(Beta2).addcmul_(gradient, gradient, 1 - Beta2);
        var denominator = (_secondMoment / (1 - Math.Pow(Beta2, StepCount))).sqrt() + Eps;
        _parameter.addcdiv_(_firstMoment, denominator, -LearningRate / (1 - Math.Pow(Beta1, StepCount)));
        if (_renormalization is { } target)
        {
            _parameter.mul_((target.Norm / _parameter.norm(1, keepdim: true, p: 2f)).pow(target.Pull));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _firstMoment.Dispose();
        _secondMoment.Dispose();
        _regularizer?.Dispose();
    }
}

/// <summary>Brings rows back to a norm: e ← e·(norm / ‖e‖)^pull.</summary>
/// <param name="Norm">The norm, above 0.</param>
/// <param name="Pull">1: at once; nearer to 0: step by step.</param>
internal sealed record Renormalization(double Norm, double Pull = 1);
