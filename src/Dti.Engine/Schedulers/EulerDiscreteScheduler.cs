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
    /// <param name="karras">Spread the noise levels as arXiv 2206.00364 does, instead of the timesteps.</param>
    /// <exception cref="DtiException">Too many steps.</exception>
    public EulerDiscreteScheduler(SchedulerConfig config, int steps, bool karras = false)
    {
        _config = config;
        _timesteps = Schedulers.Timesteps.Spread(config, steps, TimestepSpacing.Linspace, roundLinspace: false);
        var trained = Schedulers.Sigmas.Trained(config);
        var sigmas = Array.ConvertAll(_timesteps, t => Schedulers.Sigmas.At(trained, t));
        if (karras)
        {
            sigmas = Schedulers.Sigmas.Karras(sigmas[0], sigmas[^1], steps);
            _timesteps = Array.ConvertAll(sigmas, sigma => Schedulers.Sigmas.Timestep(trained, sigma));
        }

        _sigmas = [.. sigmas.Select(sigma => (float)sigma), 0];
    }

    /// <inheritdoc/>
    public IReadOnlyList<float> Sigmas => _sigmas;

    /// <inheritdoc/>
    public IReadOnlyList<double> Timesteps => _timesteps;

    /// <inheritdoc/>
    public double InitNoiseSigma => Schedulers.Sigmas.InitNoise(_config, _sigmas[0]);

    /// <inheritdoc/>
    public Tensor ScaleModelInput(Tensor sample, int call) => sample / Math.Sqrt(((double)_sigmas[call] * _sigmas[call]) + 1);

    /// <inheritdoc/>
    public Tensor Step(Tensor modelOutput, int call, Tensor sample, Func<Tensor> noise)
    {
        using var scope = NewDisposeScope();
        double sigma = _sigmas[call], next = _sigmas[call + 1];
        var d = (sample - Schedulers.Sigmas.Denoised(_config, sample, modelOutput, sigma)) / sigma;
        return (sample + (d * (next - sigma))).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
