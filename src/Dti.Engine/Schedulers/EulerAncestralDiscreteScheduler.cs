using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// Euler's method that steps a little too far and adds noise back, η = 1 (k-diffusion's <c>sample_euler_ancestral</c>;
/// diffusers' EulerAncestralDiscreteScheduler). It never settles: other numbers of steps give other images. Only for
/// levels with the whole image in them.
/// </summary>
/// <param name="process">The model's process; disposed of with this.</param>
/// <param name="schedule">Levels whose noise goes down to 0.</param>
public sealed class EulerAncestralDiscreteScheduler(INoiseProcess process, SamplingSchedule schedule)
    : EulerScheduler(process, schedule)
{
    private protected override Tensor Step(Tensor sample, Tensor d, double sigma, double next, Func<Tensor> noise)
    {
        var up = Math.Sqrt(next * next * ((sigma * sigma) - (next * next)) / (sigma * sigma));
        var down = Math.Sqrt((next * next) - (up * up));
        return sample + (d * (down - sigma)) + (noise() * up);
    }
}
