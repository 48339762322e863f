using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// λ·mean((e − e₀)²) over the elements of an embedding: holds it near its start (the reference implementation's
/// <c>reg_lambda</c>; arXiv 2312.15905, section 3.3). For several text encoders the terms add up.
/// </summary>
internal sealed class StartRegularizer : IDisposable
{
    private readonly double _lambda;

    /// <param name="start">e₀, (n, d); copied.</param>
    /// <param name="lambda">λ &gt; 0.</param>
    public StartRegularizer(Tensor start, double lambda)
    {
        Start = start.detach().clone().DetachFromDisposeScope();
        _lambda = lambda;
    }

    /// <summary>e₀, (n, d).</summary>
    public Tensor Start { get; }

    /// <summary>Null where λ is 0.</summary>
    public static StartRegularizer? Of(Tensor start, double lambda) => lambda > 0 ? new(start, lambda) : null;

    /// <summary>Its value, ().</summary>
    public Tensor Loss(Tensor embedding) => _lambda * (embedding - Start).square().mean();

    /// <summary>Adds its gradient, 2λ(e − e₀)/(n·d), to a gradient of the loss.</summary>
    public Tensor AddTo(Tensor gradient, Tensor embedding) =>
        gradient + ((2 * _lambda / Start.numel()) * (embedding - Start));

    /// <inheritdoc/>
    public void Dispose() => Start.Dispose();
}
