using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>DDIM with η = 0 (arXiv 2010.02502, equation 12; diffusers' DDIMScheduler).</summary>
public sealed class DdimScheduler : IScheduler
{
    private readonly SchedulerConfig _config;
    private readonly DdpmProcess _process;
    private readonly int _stride;
    private readonly double[] _timesteps;

    /// <summary>Prepares a run.</summary>
    /// <param name="config">The model's config.</param>
    /// <param name="steps">Sampling steps, at most T.</param>
    /// <exception cref="DtiException">Too many steps.</exception>
    public DdimScheduler(SchedulerConfig config, int steps)
    {
        _config = config;
        _timesteps = Schedulers.Timesteps.Spread(config, steps, TimestepSpacing.Leading, roundLinspace: true);
        _stride = config.NumTrainTimesteps / steps;
        _process = new DdpmProcess(config);
    }

    /// <inheritdoc/>
    public IReadOnlyList<double> Timesteps => _timesteps;

    /// <inheritdoc/>
    public double InitNoiseSigma => 1;

    /// <inheritdoc/>
    public Tensor ScaleModelInput(Tensor sample, int call) => sample;

    /// <inheritdoc/>
    public Tensor Step(Tensor modelOutput, int call, Tensor sample, Func<Tensor> noise)
    {
        using var scope = NewDisposeScope();
        var t = (int)_timesteps[call];
        var previous = _process.LevelAt(t - _stride);
        var x0 = Denoised(modelOutput, call, sample);
        var eps = _process.Noise(sample, modelOutput, _process.LevelAt(t));
        return ((previous.Signal * x0) + (previous.Noise * eps)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Denoised(Tensor modelOutput, int call, Tensor sample)
    {
        using var scope = NewDisposeScope();
        var x0 = _process.Denoised(sample, modelOutput, _process.LevelAt((int)_timesteps[call]));
        return (_config.ClipSample ? x0.clamp(-1, 1) : x0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _process.Dispose();
}
