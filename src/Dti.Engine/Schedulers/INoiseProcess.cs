using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// The noise process that a model was trained with: how noise is added, what the model predicts, and what that says of
/// the image. Training takes its target from here and samplers take their algebra, so that both agree. Times are what
/// the model is told; each has a noise level.
/// </summary>
public interface INoiseProcess : IDisposable
{
    /// <summary>The times of a training batch, sampled as in the training of the model.</summary>
    /// <param name="count">B.</param>
    /// <param name="generator">On the CPU.</param>
    /// <returns>(B) on the CPU, of the number type that the process counts in.</returns>
    Tensor SampleTimesteps(int count, Generator generator);

    /// <summary>
    /// The times at given quantiles of the training distribution, from the image's end: the same at each call.
    /// </summary>
    /// <param name="shares">From 0 to below 1.</param>
    /// <returns>(B) on the CPU.</returns>
    Tensor TimesAt(IReadOnlyList<double> shares);

    /// <summary>The noisy sample as the model sees it.</summary>
    /// <param name="x0">Latents, (B, C, h, w) fp32.</param>
    /// <param name="noise">ε, the same shape.</param>
    /// <param name="times">(B), of <see cref="SampleTimesteps"/> or <see cref="TimesAt"/>, where the latents
    /// are.</param>
    Tensor AddNoise(Tensor x0, Tensor noise, Tensor times);

    /// <summary>What the model is to predict; tensors as in <see cref="AddNoise"/>.</summary>
    /// <param name="x0">Latents.</param>
    /// <param name="noise">ε.</param>
    /// <param name="times">Their times.</param>
    /// <param name="prediction">Null: what the model says that it predicts.</param>
    Tensor Target(Tensor x0, Tensor noise, Tensor times, PredictionType? prediction = null);

    /// <summary>The image that a prediction speaks of, x₀.</summary>
    /// <param name="sample">x at <paramref name="level"/>, not scaled for the model.</param>
    /// <param name="modelOutput">What the model predicts, the same shape.</param>
    /// <param name="level">The sample's noise level.</param>
    Tensor Denoised(Tensor sample, Tensor modelOutput, NoiseLevel level);

    /// <summary>A sample as the model wants it.</summary>
    /// <param name="sample">x at <paramref name="level"/>.</param>
    /// <param name="level">Its noise level.</param>
    Tensor ScaleModelInput(Tensor sample, NoiseLevel level);
}
