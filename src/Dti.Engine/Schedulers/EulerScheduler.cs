using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// What Euler's methods in σ share (arXiv 2206.00364): noise levels, the model's input, and the slope (x − x₀)/σ at a
/// sample, which is dx/dσ both where noise is added to the image and in flow matching.
/// </summary>
public abstract class EulerScheduler : IScheduler
{
    private readonly INoiseProcess _process;
    private readonly SamplingSchedule _schedule;

    /// <param name="process">The model's process; disposed of with this.</param>
    /// <param name="schedule">Levels whose noise goes down to 0.</param>
    private protected EulerScheduler(INoiseProcess process, SamplingSchedule schedule) =>
        (_process, _schedule) = (process, schedule);

    /// <inheritdoc/>
    public IReadOnlyList<double> Timesteps => _schedule.Times;

    /// <inheritdoc/>
    public IReadOnlyList<float> Sigmas => [.. _schedule.Levels.Select(level => (float)level.Noise)];

    /// <inheritdoc/>
    public double InitNoiseSigma => _schedule.InitNoiseSigma;

    /// <inheritdoc/>
    public Tensor ScaleModelInput(Tensor sample, int call) => _process.ScaleModelInput(sample, _schedule.Levels[call]);

    /// <inheritdoc/>
    public Tensor Step(Tensor modelOutput, int call, Tensor sample, Func<Tensor> noise)
    {
        using var scope = NewDisposeScope();
        var sigma = _schedule.Levels[call].Noise;
        var d = (sample - Denoised(modelOutput, call, sample)) / sigma;
        return Step(sample, d, sigma, _schedule.Levels[call + 1].Noise, noise).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Denoised(Tensor modelOutput, int call, Tensor sample) =>
        _process.Denoised(sample, modelOutput, _schedule.Levels[call]);

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>From one noise level to the next.</summary>
    /// <param name="sample">x at <paramref name="sigma"/>.</param>
    /// <param name="d">dx/dσ there.</param>
    /// <param name="sigma">σ now.</param>
    /// <param name="next">σ to reach, less than that.</param>
    /// <param name="noise">As <see cref="IScheduler.Step"/>.</param>
    private protected abstract Tensor Step(Tensor sample, Tensor d, double sigma, double next, Func<Tensor> noise);
}
