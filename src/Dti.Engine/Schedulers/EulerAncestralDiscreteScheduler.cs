using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// Euler's method that steps a little too far and adds noise back, η = 1 (k-diffusion's <c>sample_euler_ancestral</c>; diffusers'
/// EulerAncestralDiscreteScheduler). It never settles: other numbers of steps give other pictures.
/// </summary>
public sealed class EulerAncestralDiscreteScheduler : IScheduler
{
    private readonly SchedulerConfig _config;
    private readonly double[] _timesteps;
    private readonly float[] _sigmas; // one more than timesteps, the last one 0

    /// <summary>Prepares a run.</summary>
    /// <param name="config">The model's config.</param>
    /// <param name="steps">Sampling steps, at most T.</param>
    /// <exception cref="DtiException">Too many steps.</exception>
    public EulerAncestralDiscreteScheduler(SchedulerConfig config, int steps)
    {
        _config = config;
        _timesteps = Schedulers.Timesteps.Spread(config, steps, TimestepSpacing.Linspace, roundLinspace: false);
        var trained = Schedulers.Sigmas.Trained(config);
        _sigmas = [.. _timesteps.Select(t => (float)Schedulers.Sigmas.At(trained, t)), 0];
    }

    /// <inheritdoc/>
    public IReadOnlyList<double> Timesteps => _timesteps;

    /// <inheritdoc/>
    public IReadOnlyList<float> Sigmas => _sigmas;

    /// <inheritdoc/>
    public double InitNoiseSigma => Schedulers.Sigmas.InitNoise(_config, _sigmas[0]);

    /// <inheritdoc/>
    public Tensor ScaleModelInput(Tensor sample, int call) => sample / Math.Sqrt(((double)_sigmas[call] * _sigmas[call]) + 1);

    /// <inheritdoc/>
    public Tensor Step(Tensor modelOutput, int call, Tensor sample, Func<Tensor> noise)
    {
        using var scope = NewDisposeScope();
        double sigma = _sigmas[call], next = _sigmas[call + 1];
        var up = Math.Sqrt(next * next * ((sigma * sigma) - (next * next)) / (sigma * sigma));
        var down = Math.Sqrt((next * next) - (up * up));
        var d = (sample - Schedulers.Sigmas.Denoised(_config, sample, modelOutput, sigma)) / sigma;
        return (sample + (d * (down - sigma)) + (noise() * up)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
