using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// DPM-Solver++ of second order, multistep (arXiv 2211.01095, algorithm 2, midpoint; diffusers' DPMSolverMultistepScheduler with its
/// defaults). The first and the last step are of first order.
/// </summary>
public sealed class DpmSolverMultistepScheduler : IScheduler
{
    private readonly SchedulerConfig _config;
    private readonly double[] _timesteps;
    private readonly float[] _sigmas; // one more than timesteps, the last one 0
    private Tensor? _before; // x₀ as the call before this one saw it

    /// <summary>Prepares a run.</summary>
    /// <param name="config">The model's config.</param>
    /// <param name="steps">Sampling steps, less than T.</param>
    /// <param name="karras">Spread the noise levels as arXiv 2206.00364 does, instead of the timesteps.</param>
    /// <exception cref="DtiException">Too many steps.</exception>
    public DpmSolverMultistepScheduler(SchedulerConfig config, int steps, bool karras = false)
    {
        _config = config;
        var trained = Schedulers.Sigmas.Trained(config);
        if (karras)
        {
            var sigmas = Schedulers.Sigmas.Karras(trained[^1], trained[0], steps);
            _timesteps = Array.ConvertAll(sigmas, sigma => Math.Round(Schedulers.Sigmas.Timestep(trained, sigma)));
            _sigmas = [.. sigmas.Select(sigma => (float)sigma), 0];
        }
        else
        {
            _timesteps = Schedulers.Timesteps.Spread(config, steps, TimestepSpacing.Linspace, roundLinspace: true, beforeClean: true);
            _sigmas = [.. _timesteps.Select(t => trained[(int)t]), 0];
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<double> Timesteps => _timesteps;

    /// <inheritdoc/>
    public IReadOnlyList<float> Sigmas => _sigmas;

    /// <inheritdoc/>
    public double InitNoiseSigma => 1;

    /// <inheritdoc/>
    public Tensor ScaleModelInput(Tensor sample, int call) => sample;

    /// <inheritdoc/>
    public Tensor Step(Tensor modelOutput, int call, Tensor sample, Func<Tensor> noise)
    {
        using var scope = NewDisposeScope();
        var (_, sigma, lambda) = At(call);
        var (nextAlpha, nextSigma, nextLambda) = At(call + 1);
        var x0 = Denoised(modelOutput, call, sample);
        var h = nextLambda - lambda;
        var d = x0;
        if (_before is not null && call < _timesteps.Length - 1)
        {
            var r = (lambda - At(call - 1).Lambda) / h;
            d = x0 + ((x0 - _before) / (2 * r));
        }

        _before?.Dispose();
        _before = x0.clone().DetachFromDisposeScope();
        return ((nextSigma / sigma * sample) - (nextAlpha * (Math.Exp(-h) - 1) * d)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Denoised(Tensor modelOutput, int call, Tensor sample)
    {
        var (alpha, sigma, _) = At(call);
        return _config.Denoised(sample, modelOutput, alpha, sigma);
    }

    /// <inheritdoc/>
    public void Dispose() => _before?.Dispose();

    /// <summary>α, σ of x = α·x₀ + σ·ε, and λ = ln(α/σ).</summary>
    private (double Alpha, double Sigma, double Lambda) At(int call)
    {
        double level = _sigmas[call];
        var alpha = 1 / Math.Sqrt((level * level) + 1);
        return (alpha, level * alpha, -Math.Log(level));
    }
}
