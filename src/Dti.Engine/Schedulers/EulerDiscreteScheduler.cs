using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>Euler's method in σ (arXiv 2206.00364, algorithm 2 without churn; diffusers' EulerDiscreteScheduler).</summary>
public sealed class EulerDiscreteScheduler : IScheduler
{
    private readonly SchedulerConfig _config;
    private readonly double[] _timesteps;
    private readonly float[] _sigmas; // one more than timesteps, the last one 0

    /// <summary>Prepares a run.</summary>
    /// <param name="config">The model's config.</param>
    /// <param name="steps">Sampling steps, at most T.</param>
    /// <exception cref="DtiException">Too many steps.</exception>
    public EulerDiscreteScheduler(SchedulerConfig config, int steps)
    {
        _config = config;
        _timesteps = Schedulers.Timesteps.Spread(config, steps, TimestepSpacing.Linspace, roundLinspace: false);
        var trained = Array.ConvertAll(config.AlphasCumprod(), alpha => MathF.Sqrt((1 - alpha) / alpha));
        _sigmas = [.. _timesteps.Select(t => (float)Interpolate(trained, t)), 0];
    }

    /// <summary>σ of each call and 0: n + 1 values.</summary>
    public IReadOnlyList<float> Sigmas => _sigmas;

    /// <inheritdoc/>
    public IReadOnlyList<double> Timesteps => _timesteps;

    /// <inheritdoc/>
    public double InitNoiseSigma =>
        (_config.TimestepSpacing ?? TimestepSpacing.Linspace) == TimestepSpacing.Leading ? Math.Sqrt(((double)_sigmas[0] * _sigmas[0]) + 1) : _sigmas[0];

    /// <inheritdoc/>
    public Tensor ScaleModelInput(Tensor sample, int call) => sample / Math.Sqrt(((double)_sigmas[call] * _sigmas[call]) + 1);

    /// <inheritdoc/>
    public Tensor Step(Tensor modelOutput, int call, Tensor sample, Generator generator)
    {
        using var scope = NewDisposeScope();
        double sigma = _sigmas[call], next = _sigmas[call + 1];
        var scale = (sigma * sigma) + 1;
        var denoised = _config.PredictionType == PredictionType.VPrediction
            ? (modelOutput * (-sigma / Math.Sqrt(scale))) + (sample / scale)
            : sample - (sigma * modelOutput);
        var d = (sample - denoised) / sigma;
        return (sample + (d * (next - sigma))).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static double Interpolate(float[] values, double at)
    {
        var index = Math.Clamp((int)at, 0, values.Length - 1);
        double low = values[index], high = values[Math.Min(index + 1, values.Length - 1)];
        return low + ((high - low) * (at - index));
    }
}
