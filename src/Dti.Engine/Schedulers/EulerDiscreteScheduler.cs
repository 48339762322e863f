using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>Euler's method in σ (arXiv 2206.00364, algorithm 2 without churn; diffusers' EulerDiscreteScheduler).</summary>
/// <param name="config">The model's config.</param>
/// <param name="steps">Sampling steps, at most T.</param>
/// <param name="karras">Spread the noise levels as arXiv 2206.00364 does, instead of the timesteps.</param>
/// <exception cref="DtiException">Too many steps.</exception>
public sealed class EulerDiscreteScheduler(SchedulerConfig config, int steps, bool karras = false) : EulerScheduler(config, steps, karras)
{
    private protected override Tensor Step(Tensor sample, Tensor d, double sigma, double next, Func<Tensor> noise) => sample + (d * (next - sigma));
}
