using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// What each kind of prediction says of image and noise; the one place where they are converted into each other.
/// </summary>
internal static class Predictions
{
    /// <summary>x₀ of a sample x = α·x₀ + σ·ε.</summary>
    /// <param name="type">What was predicted.</param>
    /// <param name="sample">x.</param>
    /// <param name="output">The prediction, the same shape.</param>
    /// <param name="level">α and σ.</param>
    public static Tensor Denoised(PredictionType type, Tensor sample, Tensor output, NoiseLevel level)
    {
        using var scope = NewDisposeScope();
        var (alpha, sigma) = level;
        var square = (alpha * alpha) + (sigma * sigma); // 1 where variance is preserved
        var x0 = type switch
        {
            PredictionType.Epsilon => alpha == 1 ? sample - (sigma * output) : (sample - (sigma * output)) / alpha,
            PredictionType.VPrediction => (alpha / square * sample) - (sigma / Math.Sqrt(square) * output),
            PredictionType.Flow => sample - (sigma * output),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "is no prediction"),
        };
        return x0.MoveToOuterDisposeScope();
    }

    /// <summary>ε of a sample x = α·x₀ + σ·ε; arguments as <see cref="Denoised"/>.</summary>
    public static Tensor Noise(PredictionType type, Tensor sample, Tensor output, NoiseLevel level)
    {
        using var scope = NewDisposeScope();
        var (alpha, sigma) = level;
        var square = (alpha * alpha) + (sigma * sigma);
        var noise = type switch
        {
            PredictionType.Epsilon => output.alias(),
            PredictionType.VPrediction => (alpha / Math.Sqrt(square) * output) + (sigma / square * sample),
            PredictionType.Flow => sample + (alpha * output),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "is no prediction"),
        };
        return noise.MoveToOuterDisposeScope();
    }

    /// <summary>What a model of that kind is to predict.</summary>
    /// <param name="type">The kind.</param>
    /// <param name="x0">(B, C, h, w)</param>
    /// <param name="noise">ε, the same shape.</param>
    /// <param name="alpha">(B, 1, 1, 1); with σ of variance 1 for a velocity.</param>
    /// <param name="sigma">(B, 1, 1, 1)</param>
    public static Tensor Target(PredictionType type, Tensor x0, Tensor noise, Tensor alpha, Tensor sigma)
    {
        using var scope = NewDisposeScope();
        var target = type switch
        {
            PredictionType.Epsilon => noise.alias(),
            PredictionType.VPrediction => (alpha * noise) - (sigma * x0), // arXiv 2202.00512
            PredictionType.Flow => noise - x0, // arXiv 2403.03206
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "is no prediction"),
        };
        return target.MoveToOuterDisposeScope();
    }
}
