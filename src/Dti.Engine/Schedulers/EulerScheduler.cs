using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>What Euler's methods in σ share (arXiv 2206.00364): noise levels, the model's input, and the slope at a sample.</summary>
public abstract class EulerScheduler : IScheduler
{
    private readonly SchedulerConfig _config;
    private readonly double[] _timesteps;
    private readonly float[] _sigmas; // one more than timesteps, the last one 0

    private protected EulerScheduler(SchedulerConfig config, int steps, bool karras)
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
        double sigma = _sigmas[call];
        var d = (sample - Denoised(modelOutput, call, sample)) / sigma;
        return Step(sample, d, sigma, _sigmas[call + 1], noise).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Denoised(Tensor modelOutput, int call, Tensor sample)
    {
        using var scope = NewDisposeScope();
        return Schedulers.Sigmas.Denoised(_config, sample, modelOutput, _sigmas[call]).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => GC.SuppressFinalize(this);

    /// <summary>From one noise level to the next.</summary>
    /// <param name="sample">x at <paramref name="sigma"/>.</param>
    /// <param name="d">dx/dσ there.</param>
    /// <param name="sigma">σ now.</param>
    /// <param name="next">σ to reach, less than that.</param>
    /// <param name="noise">As <see cref="IScheduler.Step"/>.</param>
    private protected abstract Tensor Step(Tensor sample, Tensor d, double sigma, double next, Func<Tensor> noise);
}
