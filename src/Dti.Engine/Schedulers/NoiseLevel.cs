namespace Dti.Engine.Schedulers;

/// <summary>How much of a sample is image and how much is noise: x = Signal·x₀ + Noise·ε.</summary>
/// <param name="Signal">α, 0 or more: √ᾱ where variance is preserved, 1 where noise is added to the image, 1 − σ in
/// flow matching.</param>
/// <param name="Noise">σ, 0 or more; 0 is the image itself.</param>
public readonly record struct NoiseLevel(double Signal, double Noise)
{
    /// <summary>ln(α/σ), half the logarithm of the signal-to-noise ratio; infinite at either end.</summary>
    public double Lambda => Math.Log(Signal / Noise);
}
