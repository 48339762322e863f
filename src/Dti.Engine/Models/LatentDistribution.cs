using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// The distribution of an image's latents: N(mean, exp(logvar)), each (B, C, h, w); or, without a variance, the mean
/// alone.
/// </summary>
/// <param name="Mean">The mean.</param>
/// <param name="LogVar">Log of the variance; null: the autoencoder is deterministic.</param>
public sealed record LatentDistribution(Tensor Mean, Tensor? LogVar = null)
{
    /// <summary>mean + exp(logvar/2)·ε.</summary>
    /// <param name="eps">Unit noise of the mean's shape.</param>
    public Tensor Sample(Tensor eps) => LogVar is null ? Mean.alias() : Mean + ((0.5 * LogVar).exp() * eps);
}
