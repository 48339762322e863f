using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// The forward process of DDPM (arXiv 2006.11239): x_t = √ᾱ_t·x₀ + √(1−ᾱ_t)·ε, with noise or velocity predicted, and on
/// request a last step without any signal (arXiv 2305.08891). Times are the training timesteps 0 … T − 1, int64.
/// Coefficients stay fp32.
/// </summary>
public sealed class DdpmProcess : INoiseProcess
{
    private readonly SchedulerConfig _config;

    /// <summary>Computes ᾱ as diffusers does, in fp32.</summary>
    /// <param name="config">The model's config.</param>
    /// <param name="device">Where the latents are; null: on the CPU.</param>
    public DdpmProcess(SchedulerConfig config, Device? device = null)
    {
        using var scope = NewDisposeScope();
        _config = config;
        var betas = config.ScaledLinear
            ? linspace(
                    Math.Sqrt(config.BetaStart),
                    Math.Sqrt(config.BetaEnd),
                    config.NumTrainTimesteps,
                    ScalarType.Float32
                )
                .square()
            : linspace(config.BetaStart, config.BetaEnd, config.NumTrainTimesteps, ScalarType.Float32);
        betas = config.ZeroTerminalSnr ? WithoutTerminalSignal(betas) : betas;
        var alphas = (1 - betas).cumprod(0);
        Alphas = alphas.data<float>().ToArray();
        Betas = betas.to(device ?? CPU).DetachFromDisposeScope();
        AlphasCumprod = alphas.to(device ?? CPU).DetachFromDisposeScope();
    }

    /// <summary>T.</summary>
    public int TrainTimesteps => Alphas.Length;

    /// <summary>β, (T) fp32.</summary>
    public Tensor Betas { get; }

    /// <summary>ᾱ, (T) fp32.</summary>
    public Tensor AlphasCumprod { get; }

    /// <summary>ᾱ on the host, T values.</summary>
    internal float[] Alphas { get; }

    /// <inheritdoc/>
    public Tensor SampleTimesteps(int count, Generator generator) =>
        randint(0, TrainTimesteps, [count], ScalarType.Int64, CPU, generator: generator);

    /// <inheritdoc/>
    public Tensor TimesAt(IReadOnlyList<double> shares) =>
        tensor(shares.Select(share => (long)(share * TrainTimesteps)).ToArray());

    /// <summary>√ᾱ_t·x₀ + √(1−ᾱ_t)·ε.</summary>
    /// <param name="x0">(B, C, h, w) fp32</param>
    /// <param name="noise">ε, the same shape.</param>
    /// <param name="times">(B) int64</param>
    public Tensor AddNoise(Tensor x0, Tensor noise, Tensor times)
    {
        using var scope = NewDisposeScope();
        var (signal, sigma) = Coefficients(times);
        return ((signal * x0) + (sigma * noise)).MoveToOuterDisposeScope();
    }

    /// <summary>√ᾱ_t·ε − √(1−ᾱ_t)·x₀ (arXiv 2202.00512); arguments as <see cref="AddNoise"/>.</summary>
    public Tensor Velocity(Tensor x0, Tensor noise, Tensor times) =>
        Target(x0, noise, times, PredictionType.VPrediction);

    /// <summary>√ᾱ_t·x_t − √(1−ᾱ_t)·v: the latents that a velocity speaks of.</summary>
    /// <param name="noisy">x_t, (B, C, h, w) fp32</param>
    /// <param name="velocity">v, the same shape.</param>
    /// <param name="times">(B) int64</param>
    public Tensor Original(Tensor noisy, Tensor velocity, Tensor times)
    {
        using var scope = NewDisposeScope();
        var (signal, sigma) = Coefficients(times);
        return ((signal * noisy) - (sigma * velocity)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Target(Tensor x0, Tensor noise, Tensor times, PredictionType? prediction = null)
    {
        using var scope = NewDisposeScope();
        var (signal, sigma) = Coefficients(times);
        return Predictions
            .Target(prediction ?? _config.PredictionType, x0, noise, signal, sigma)
            .MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Denoised(Tensor sample, Tensor modelOutput, NoiseLevel level) =>
        Predictions.Denoised(_config.PredictionType, sample, modelOutput, level);

    /// <inheritdoc/>
    public Tensor ScaleModelInput(Tensor sample, NoiseLevel level) =>
        // the model was trained where variance is preserved
        level.Signal == 1
            ? sample / Math.Sqrt((level.Noise * level.Noise) + 1)
            : sample;

    /// <summary>ε of a sample; arguments as <see cref="Denoised"/>.</summary>
    internal Tensor Noise(Tensor sample, Tensor modelOutput, NoiseLevel level) =>
        Predictions.Noise(_config.PredictionType, sample, modelOutput, level);

    /// <summary>ᾱ_t; before the first timestep what the config says, after the last one ᾱ_T.</summary>
    internal double AlphaAt(int t) =>
        t >= 0 ? Alphas[Math.Min(t, Alphas.Length - 1)]
        : _config.SetAlphaToOne ? 1
        : Alphas[0];

    /// <summary>√ᾱ_t and √(1−ᾱ_t).</summary>
    internal NoiseLevel LevelAt(int t) => new(Math.Sqrt(AlphaAt(t)), Math.Sqrt(1 - AlphaAt(t)));

    /// <inheritdoc/>
    public void Dispose()
    {
        Betas.Dispose();
        AlphasCumprod.Dispose();
    }

    private (Tensor Signal, Tensor Sigma) Coefficients(Tensor times)
    {
        var alpha = AlphasCumprod.index_select(0, times).view(-1, 1, 1, 1);
        return (alpha.sqrt(), (1 - alpha).sqrt());
    }

    /// <summary>
    /// Shifts and scales √ᾱ until its last value is 0 and its first is what it was (arXiv 2305.08891, algorithm 1).
    /// </summary>
    private static Tensor WithoutTerminalSignal(Tensor betas)
    {
        var root = (1 - betas).cumprod(0).sqrt();
        var (first, last) = (root[0], root[-1]);
        var cumulative = ((root - last) * (first / (first - last))).square();
        var alphas = cat([
            cumulative[TensorIndex.Slice(0, 1)],
            cumulative[TensorIndex.Slice(1)] / cumulative[TensorIndex.Slice(0, -1)],
        ]);
        return 1 - alphas;
    }
}
