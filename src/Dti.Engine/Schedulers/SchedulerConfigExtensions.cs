using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

internal static class SchedulerConfigExtensions
{
    /// <summary>ᾱ on the host, T values.</summary>
    public static float[] AlphasCumprod(this SchedulerConfig config)
    {
        using var schedule = new NoiseSchedule(config, CPU);
        return schedule.AlphasCumprod.data<float>().ToArray();
    }

    /// <summary>ᾱ_t; before the first timestep what the config says, after the last one ᾱ_T.</summary>
    public static double AlphaAt(this SchedulerConfig config, float[] alphasCumprod, int t) =>
        t >= 0 ? alphasCumprod[Math.Min(t, alphasCumprod.Length - 1)] : config.SetAlphaToOne ? 1 : alphasCumprod[0];

    /// <summary>The model's estimate of x₀, from a sample √ᾱ·x₀ + √(1−ᾱ)·ε.</summary>
    /// <param name="config">What the model predicts.</param>
    /// <param name="sample">(B, C, h, w)</param>
    /// <param name="modelOutput">The same shape.</param>
    /// <param name="signal">√ᾱ</param>
    /// <param name="sigma">√(1−ᾱ)</param>
    public static Tensor Denoised(this SchedulerConfig config, Tensor sample, Tensor modelOutput, double signal, double sigma)
    {
        using var scope = NewDisposeScope();
        var x0 = config.PredictionType == PredictionType.VPrediction ? (signal * sample) - (sigma * modelOutput) : (sample - (sigma * modelOutput)) / signal;
        return x0.MoveToOuterDisposeScope();
    }
}
