using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// The prior on directions, p(v) ∝ exp(κ μᵀv): it pulls toward the initial word with strength κ
/// (arXiv 2512.13672, section 4.2, where κ is constant).
/// </summary>
/// <param name="Mu">μ, (n, d), rows of norm 1.</param>
/// <param name="Kappa">κ ≥ 0, at the first step; 0 switches it off.</param>
/// <param name="Schedule">How κ goes from there.</param>
/// <param name="Steps">Steps of the run; of no matter where κ is constant.</param>
internal sealed record VonMisesFisherPrior(
    Tensor Mu,
    double Kappa,
    KappaSchedule Schedule = KappaSchedule.Constant,
    int Steps = 0
)
{
    /// <summary>Adds the gradient of −log p, which is −κμ, to a gradient of the loss.</summary>
    /// <param name="gradient">(n, d)</param>
    /// <param name="step">1, 2, …</param>
    public Tensor AddTo(Tensor gradient, int step) =>
        Kappa > 0 ? gradient - (Kappa * Schedule.Share(step, Steps) * Mu) : gradient;
}
