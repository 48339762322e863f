using Dti.Engine.Configs;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// Mean and standard deviation of latents by channel (<c>latents_mean</c>, <c>latents_std</c> of
/// <c>vae/config.json</c>).
/// </summary>
/// <param name="Mean">(C)</param>
/// <param name="Deviation">(C), above 0.</param>
internal sealed record LatentStatistics(double[] Mean, double[] Deviation)
{
    /// <summary>Reads them; null: the config has none.</summary>
    /// <exception cref="DtiException">One of the two is missing, or a value is out of bounds.</exception>
    public static LatentStatistics? Parse(ComponentConfig config, int channels)
    {
        const string MeanKey = "latents_mean",
            DeviationKey = "latents_std";
        if (config.KindOf(MeanKey) == default && config.KindOf(DeviationKey) == default)
        {
            return null;
        }

        var statistics = new LatentStatistics(
            config.Doubles(MeanKey, channels),
            config.Doubles(DeviationKey, channels)
        );
        return
            statistics.Deviation.All(value => value is > 0 and < 1e4)
            && statistics.Mean.All(value => Math.Abs(value) < 1e4)
            ? statistics
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{config.Component}: {MeanKey} and {DeviationKey} must be below 10000, and {DeviationKey} above 0."
            );
    }

    /// <summary>(x − mean)/deviation.</summary>
    /// <param name="latents">(B, C, h, w)</param>
    public Tensor Standardize(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return ((latents - Column(Mean, latents)) / Column(Deviation, latents)).MoveToOuterDisposeScope();
    }

    /// <summary>x·deviation + mean.</summary>
    /// <param name="latents">(B, C, h, w)</param>
    public Tensor Restore(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return ((latents * Column(Deviation, latents)) + Column(Mean, latents)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public bool Equals(LatentStatistics? other) =>
        other is not null && Mean.SequenceEqual(other.Mean) && Deviation.SequenceEqual(other.Deviation);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Mean[0], Deviation[0]);

    private static Tensor Column(double[] values, Tensor like) =>
        tensor(Array.ConvertAll(values, value => (float)value)).to(like.device).view(1, -1, 1, 1);
}
