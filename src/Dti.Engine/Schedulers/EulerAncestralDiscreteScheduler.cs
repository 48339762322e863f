using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// Euler's method that steps a little too far and adds noise back, η = 1 (k-diffusion's <c>sample_euler_ancestral</c>; diffusers'
/// EulerAncestralDiscreteScheduler). It never settles: other numbers of steps give other pictures.
/// </summary>
/// <param name="config">The model's config.</param>
/// <param name="steps">Sampling steps, at most T.</param>
/// <exception cref="DtiException">Too many steps.</exception>
public sealed class EulerAncestralDiscreteScheduler(SchedulerConfig config, int steps) : EulerScheduler(config, steps, karras: false)
{
    private protected override Tensor Step(Tensor sample, Tensor d, double sigma, double next, Func<Tensor> noise)
    {
        var up = Math.Sqrt(next * next * ((sigma * sigma) - (next * next)) / (sigma * sigma));
        var down = Math.Sqrt((next * next) - (up * up));
        return sample + (d * (down - sigma)) + (noise() * up);
    }
}
