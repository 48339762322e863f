using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// DPM-Solver++ of second order, multistep (arXiv 2211.01095, algorithm 2, midpoint; diffusers'
/// DPMSolverMultistepScheduler with its defaults). The first and the last step are of first order.
/// </summary>
/// <param name="process">The model's process; disposed of with this.</param>
/// <param name="schedule">Levels at which α is as the process has it; the last one without noise.</param>
public sealed class DpmSolverMultistepScheduler(INoiseProcess process, SamplingSchedule schedule) : IScheduler
{
    private Tensor? _before; // x₀ as the call before this one saw it

    /// <inheritdoc/>
    public IReadOnlyList<double> Timesteps => schedule.Times;

    /// <inheritdoc/>
    public IReadOnlyList<float> Sigmas => [.. schedule.Levels.Select(level => (float)(level.Noise / level.Signal))];

    /// <inheritdoc/>
    public double InitNoiseSigma => schedule.InitNoiseSigma;

    /// <inheritdoc/>
    public Tensor ScaleModelInput(Tensor sample, int call) => process.ScaleModelInput(sample, schedule.Levels[call]);

    /// <inheritdoc/>
    public Tensor Step(Tensor modelOutput, int call, Tensor sample, Func<Tensor> noise)
    {
        using var scope = NewDisposeScope();
        var (level, next) = (schedule.Levels[call], schedule.Levels[call + 1]);
        var x0 = Denoised(modelOutput, call, sample);
        var h = next.Lambda - level.Lambda;
        var d = x0;
        if (_before is not null && call < schedule.Times.Count - 1)
        {
            var r = (level.Lambda - schedule.Levels[call - 1].Lambda) / h;
            d = x0 + ((x0 - _before) / (2 * r));
        }

        _before?.Dispose();
        _before = x0.clone().DetachFromDisposeScope();
        return ((next.Noise / level.Noise * sample) - (next.Signal * (Math.Exp(-h) - 1) * d)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Denoised(Tensor modelOutput, int call, Tensor sample) =>
        process.Denoised(sample, modelOutput, schedule.Levels[call]);

    /// <inheritdoc/>
    public void Dispose()
    {
        _before?.Dispose();
        process.Dispose();
    }
}
