using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// Rectified flow (arXiv 2209.03003, 2403.03206): x = (1 − σ)·x₀ + σ·ε, and the model predicts ε − x₀. Times are σ·T,
/// fp32. Training samples one of the T training steps, all alike, whose σ is shifted toward noise.
/// </summary>
/// <param name="config">The model's config.</param>
public sealed class FlowMatchingProcess(FlowMatchingConfig config) : INoiseProcess
{
    /// <inheritdoc/>
    public Tensor SampleTimesteps(int count, Generator generator)
    {
        using var scope = NewDisposeScope();
        var index = randint(0, config.NumTrainTimesteps, [count], ScalarType.Int64, CPU, generator: generator)
            .to(ScalarType.Float32);
        var sigma = (config.NumTrainTimesteps - index) / config.NumTrainTimesteps; // from 1 down to 1/T
        return (
            config.TrainingShift * sigma / (1 + ((config.TrainingShift - 1) * sigma)) * config.NumTrainTimesteps
        ).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor TimesAt(IReadOnlyList<double> shares) =>
        tensor(
            shares
                .Select(share =>
                    (float)(FlowMatchingConfig.Shifted(share, config.TrainingShift) * config.NumTrainTimesteps)
                )
                .ToArray()
        );

    /// <inheritdoc/>
    public Tensor AddNoise(Tensor x0, Tensor noise, Tensor times)
    {
        using var scope = NewDisposeScope();
        var sigma = Sigma(times);
        return (((1 - sigma) * x0) + (sigma * noise)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Target(Tensor x0, Tensor noise, Tensor times, PredictionType? prediction = null)
    {
        using var scope = NewDisposeScope();
        var sigma = Sigma(times);
        return Predictions
            .Target(prediction ?? config.PredictionType, x0, noise, 1 - sigma, sigma)
            .MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Denoised(Tensor sample, Tensor modelOutput, NoiseLevel level) =>
        Predictions.Denoised(config.PredictionType, sample, modelOutput, level);

    /// <inheritdoc/>
    public Tensor ScaleModelInput(Tensor sample, NoiseLevel level) => sample;

    /// <inheritdoc/>
    public void Dispose() { }

    private Tensor Sigma(Tensor times) => (times.to(ScalarType.Float32) / config.NumTrainTimesteps).view(-1, 1, 1, 1);
}
