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
}
