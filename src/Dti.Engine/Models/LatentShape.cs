namespace Dti.Engine.Models;

/// <summary>How latents are shaped.</summary>
/// <param name="Channels">C.</param>
/// <param name="Factor">Pixels per latent along each side.</param>
public sealed record LatentShape(int Channels, int Factor)
{
    private const int CommonFactor = 8;

    /// <summary>(B, C, h, w) of the latents of images.</summary>
    /// <param name="count">B.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="width">Pixels.</param>
    public long[] Of(int count, int height, int width) => [count, Channels, height / Factor, width / Factor];

    /// <summary>Checks a side of an image against the latents; that it is a multiple of 8 is checked elsewhere.</summary>
    internal void CheckSide(string field, int pixels, Violations found)
    {
        if (pixels % Factor != 0 && pixels % CommonFactor == 0)
        {
            found.Add(
                field,
                $"{field} is {pixels}; a latent of this model is {Factor} pixels wide, so it must be a multiple of "
                    + $"{Factor}."
            );
        }
    }
}
