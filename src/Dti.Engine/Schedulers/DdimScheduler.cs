using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>DDIM with η = 0 (arXiv 2010.02502, equation 12; diffusers' DDIMScheduler).</summary>
public sealed class DdimScheduler : IScheduler
{
    private readonly SchedulerConfig _config;
    private readonly float[] _alphasCumprod;
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
        _alphasCumprod = config.AlphasCumprod();
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
        double alpha = _alphasCumprod[t];
        var alphaPrev = _config.AlphaAt(_alphasCumprod, t - _stride);
        var x0 = Denoised(modelOutput, call, sample);
        var eps = _config.PredictionType == PredictionType.VPrediction ? (Math.Sqrt(alpha) * modelOutput) + (Math.Sqrt(1 - alpha) * sample) : modelOutput;
        return ((Math.Sqrt(alphaPrev) * x0) + (Math.Sqrt(1 - alphaPrev) * eps)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Denoised(Tensor modelOutput, int call, Tensor sample)
    {
        using var scope = NewDisposeScope();
        double alpha = _alphasCumprod[(int)_timesteps[call]];
        var x0 = _config.Denoised(sample, modelOutput, Math.Sqrt(alpha), Math.Sqrt(1 - alpha));
        return (_config.ClipSample ? x0.clamp(-1, 1) : x0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
