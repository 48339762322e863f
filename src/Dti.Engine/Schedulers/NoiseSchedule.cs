using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// The forward process of DDPM (arXiv 2006.11239): x_t = √ᾱ_t·x₀ + √(1−ᾱ_t)·ε. Training and sampling share it, so they cannot
/// disagree. Coefficients stay fp32.
/// </summary>
public sealed class NoiseSchedule : IDisposable
{
    private readonly PredictionType _predictionType;

    /// <summary>Computes ᾱ as diffusers does, in fp32.</summary>
    /// <param name="config">The model's config.</param>
    /// <param name="device">Where the latents are.</param>
    public NoiseSchedule(SchedulerConfig config, Device? device = null)
    {
        using var scope = NewDisposeScope();
        _predictionType = config.PredictionType;
        var betas = config.ScaledLinear
            ? linspace(Math.Sqrt(config.BetaStart), Math.Sqrt(config.BetaEnd), config.NumTrainTimesteps, ScalarType.Float32).square()
            : linspace(config.BetaStart, config.BetaEnd, config.NumTrainTimesteps, ScalarType.Float32);
        Betas = betas.to(device ?? CPU).DetachFromDisposeScope();
        AlphasCumprod = (1 - betas).cumprod(0).to(device ?? CPU).DetachFromDisposeScope();
    }

    /// <summary>T.</summary>
    public int TrainTimesteps => (int)AlphasCumprod.shape[0];

    /// <summary>β, (T) fp32.</summary>
    public Tensor Betas { get; }

    /// <summary>ᾱ, (T) fp32.</summary>
    public Tensor AlphasCumprod { get; }

    /// <summary>√ᾱ_t·x₀ + √(1−ᾱ_t)·ε.</summary>
    /// <param name="x0">(B, C, h, w) fp32</param>
    /// <param name="noise">ε, the same shape.</param>
    /// <param name="timesteps">(B) int64</param>
    public Tensor AddNoise(Tensor x0, Tensor noise, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var (signal, sigma) = Coefficients(timesteps);
        return ((signal * x0) + (sigma * noise)).MoveToOuterDisposeScope();
    }

    /// <summary>√ᾱ_t·ε − √(1−ᾱ_t)·x₀ (arXiv 2202.00512); arguments as <see cref="AddNoise"/>.</summary>
    public Tensor Velocity(Tensor x0, Tensor noise, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var (signal, sigma) = Coefficients(timesteps);
        return ((signal * noise) - (sigma * x0)).MoveToOuterDisposeScope();
    }

    /// <summary>√ᾱ_t·x_t − √(1−ᾱ_t)·v: the latents that a velocity speaks of.</summary>
    /// <param name="noisy">x_t, (B, C, h, w) fp32</param>
    /// <param name="velocity">v, the same shape.</param>
    /// <param name="timesteps">(B) int64</param>
    public Tensor Original(Tensor noisy, Tensor velocity, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var (signal, sigma) = Coefficients(timesteps);
        return ((signal * noisy) - (sigma * velocity)).MoveToOuterDisposeScope();
    }

    /// <summary>What the model is to predict: the noise or the velocity; tensors as in <see cref="AddNoise"/>.</summary>
    /// <param name="x0">The latents.</param>
    /// <param name="noise">ε.</param>
    /// <param name="timesteps">Their timesteps.</param>
    /// <param name="prediction">Null: as the config says.</param>
    public Tensor Target(Tensor x0, Tensor noise, Tensor timesteps, PredictionType? prediction = null) =>
        (prediction ?? _predictionType) == PredictionType.VPrediction ? Velocity(x0, noise, timesteps) : noise;

    /// <inheritdoc/>
    public void Dispose()
    {
        Betas.Dispose();
        AlphasCumprod.Dispose();
    }

    private (Tensor Signal, Tensor Sigma) Coefficients(Tensor timesteps)
    {
        var alpha = AlphasCumprod.index_select(0, timesteps).view(-1, 1, 1, 1);
        return (alpha.sqrt(), (1 - alpha).sqrt());
    }
}
