using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// Noise added to the image, x = x₀ + σ·ε, and a network whose input and output are scaled to unit variance (arXiv
/// 2206.00364, section 5): D(x) = c_skip·x + c_out·F(c_in·x). Times are ln(σ)/4, fp32.
/// </summary>
/// <param name="config">The model's config.</param>
public sealed class EdmProcess(EdmConfig config) : INoiseProcess
{
    /// <inheritdoc/>
    public Tensor SampleTimesteps(int count, Generator generator)
    {
        using var scope = NewDisposeScope();
        var logarithm =
            (randn([count], ScalarType.Float32, CPU, generator: generator) * config.DeviationLogSigma)
            + config.MeanLogSigma;
        return (logarithm / 4).MoveToOuterDisposeScope();
    }

    /// <summary>Between two standard deviations below the mean of ln σ and two above.</summary>
    /// <inheritdoc/>
    public Tensor TimesAt(IReadOnlyList<double> shares) =>
        tensor(
            shares
                .Select(share => (float)((config.MeanLogSigma + (((4 * share) - 2) * config.DeviationLogSigma)) / 4))
                .ToArray()
        );

    /// <summary>c_in·(x₀ + σ·ε).</summary>
    /// <inheritdoc/>
    public Tensor AddNoise(Tensor x0, Tensor noise, Tensor times)
    {
        using var scope = NewDisposeScope();
        var sigma = Sigma(times);
        return ((x0 + (sigma * noise)) / Spread(sigma)).MoveToOuterDisposeScope();
    }

    /// <summary>What F must give for D to be x₀: (x₀ − c_skip·x)/c_out.</summary>
    /// <inheritdoc/>
    public Tensor Target(Tensor x0, Tensor noise, Tensor times, PredictionType? prediction = null)
    {
        using var scope = NewDisposeScope();
        var sigma = Sigma(times);
        var spread = Spread(sigma);
        var skip = config.SigmaData * config.SigmaData / spread.square();
        var scale = Sign(prediction ?? config.PredictionType) * sigma * config.SigmaData / spread;
        return ((x0 - (skip * (x0 + (sigma * noise)))) / scale).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Denoised(Tensor sample, Tensor modelOutput, NoiseLevel level)
    {
        using var scope = NewDisposeScope();
        var (data, sigma) = (config.SigmaData, level.Noise);
        var square = (sigma * sigma) + (data * data);
        return (
            (data * data / square * sample)
            + (Sign(config.PredictionType) * sigma * data / Math.Sqrt(square) * modelOutput)
        ).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor ScaleModelInput(Tensor sample, NoiseLevel level) =>
        sample / Math.Sqrt((level.Noise * level.Noise) + (config.SigmaData * config.SigmaData));

    /// <inheritdoc/>
    public void Dispose() { }

    /// <summary>c_noise: what the model is told of σ.</summary>
    internal static double Time(double sigma) => 0.25 * Math.Log(sigma);

    // As diffusers: the network that predicts a velocity gives it with the other sign.
    private static double Sign(PredictionType type) => type == PredictionType.VPrediction ? -1 : 1;

    private static Tensor Sigma(Tensor times) => (4 * times.to(ScalarType.Float32)).exp().view(-1, 1, 1, 1);

    private Tensor Spread(Tensor sigma) => (sigma.square() + (config.SigmaData * config.SigmaData)).sqrt();
}
