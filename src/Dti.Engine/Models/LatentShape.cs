namespace Dti.Engine.Models;

/// <summary>How latents are shaped.</summary>
/// <param name="Channels">C.</param>
/// <param name="Factor">Pixels per latent along each side.</param>
public sealed record LatentShape(int Channels, int Factor)
{
    /// <summary>(B, C, h, w) of the latents of images.</summary>
    /// <param name="count">B.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="width">Pixels.</param>
    public long[] Of(int count, int height, int width) => [count, Channels, height / Factor, width / Factor];
}
