using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// The prior on directions, p(v) ∝ exp(κ μᵀv): it pulls toward the initial word with constant strength κ
/// (arXiv 2512.13672, section 4.2).
/// </summary>
/// <param name="Mu">μ, (n, d), rows of norm 1.</param>
/// <param name="Kappa">κ ≥ 0; 0 switches it off.</param>
internal sealed record VonMisesFisherPrior(Tensor Mu, double Kappa)
{
    /// <summary>Adds the gradient of −log p, which is −κμ, to a gradient of the loss.</summary>
    public Tensor AddTo(Tensor gradient) => Kappa > 0 ? gradient - (Kappa * Mu) : gradient;
}
