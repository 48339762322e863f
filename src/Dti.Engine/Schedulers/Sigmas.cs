namespace Dti.Engine.Schedulers;

/// <summary>Noise levels σ = √((1−ᾱ)/ᾱ), as the samplers of arXiv 2206.00364 count them.</summary>
internal static class Sigmas
{
    /// <summary>ρ as arXiv 2206.00364 recommends it.</summary>
    public const double Rho = 7;

    /// <summary>
    /// σ of each training step, T values; where the last one has no signal, what diffusers takes for infinity.
    /// </summary>
    public static float[] Trained(DdpmProcess process) =>
        Array.ConvertAll(process.Alphas, alpha =>
            MathF.Sqrt((1 - alpha) / alpha) is var sigma && float.IsFinite(sigma) ? sigma : 4096
        );

    /// <summary>σ at a timestep, linear between training steps.</summary>
    public static double At(float[] trained, double timestep)
    {
        var index = Math.Clamp((int)timestep, 0, trained.Length - 1);
        double low = trained[index],
            high = trained[Math.Min(index + 1, trained.Length - 1)];
        return low + ((high - low) * (timestep - index));
    }

    /// <summary>From the largest to the smallest, evenly in the ρ-th root (arXiv 2206.00364, equation 5).</summary>
    public static double[] Karras(double largest, double smallest, int steps, double rho = Rho)
    {
        double from = Math.Pow(largest, 1 / rho),
            to = Math.Pow(smallest, 1 / rho);
        return Evenly(steps, share => Math.Pow(from + ((to - from) * share), rho));
    }

    /// <summary>From the largest to the smallest, evenly in the logarithm.</summary>
    public static double[] Exponential(double largest, double smallest, int steps)
    {
        double from = Math.Log(largest),
            to = Math.Log(smallest);
        return Evenly(steps, share => Math.Exp(from + ((to - from) * share)));
    }

    /// <summary>The timestep at which the noise is σ: linear in log σ between training steps.</summary>
    public static double Timestep(float[] trained, double sigma)
    {
        var low = Array.FindLastIndex(trained, value => value <= sigma);
        low = Math.Clamp(low, 0, trained.Length - 2);
        double below = Math.Log(trained[low]),
            above = Math.Log(trained[low + 1]);
        return low + Math.Clamp((Math.Log(Math.Max(sigma, 1e-10)) - below) / (above - below), 0, 1);
    }

    /// <summary>What unit noise is multiplied by at the start.</summary>
    public static double InitNoise(SchedulerConfig config, double largest) =>
        (config.TimestepSpacing ?? TimestepSpacing.Linspace) == TimestepSpacing.Leading
            ? Math.Sqrt((largest * largest) + 1)
            : largest;

    private static double[] Evenly(int steps, Func<double, double> at) =>
        [.. Enumerable.Range(0, steps).Select(i => at(steps == 1 ? 0 : i / (steps - 1.0)))];
}
