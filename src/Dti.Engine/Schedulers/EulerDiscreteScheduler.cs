using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// Euler's method in σ (arXiv 2206.00364, algorithm 2 without churn; diffusers' EulerDiscreteScheduler and
/// FlowMatchEulerDiscreteScheduler).
/// </summary>
/// <param name="process">The model's process; disposed of with this.</param>
/// <param name="schedule">Levels whose noise goes down to 0.</param>
public sealed class EulerDiscreteScheduler(INoiseProcess process, SamplingSchedule schedule)
    : EulerScheduler(process, schedule)
{
    private protected override Tensor Step(Tensor sample, Tensor d, double sigma, double next, Func<Tensor> noise) =>
        sample + (d * (next - sigma));
}
