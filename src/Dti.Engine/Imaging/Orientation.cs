using System.Runtime.InteropServices;

namespace Dti.Engine.Imaging;

/// <summary>EXIF orientation: where a file's first row and first column belong.</summary>
internal static class Orientation
{
    /// <summary>Turns decoded pixels upright and lays them over white, or tells their opacity.</summary>
    /// <param name="rgba">(height, width, 4), colours not multiplied by alpha.</param>
    /// <param name="width">Width as stored.</param>
    /// <param name="height">Height as stored.</param>
    /// <param name="exif">The EXIF value, 1 to 8.</param>
    /// <param name="opacity">Alpha in each channel instead of the colours.</param>
    public static RgbImage Upright(ReadOnlySpan<byte> rgba, int width, int height, int exif, bool opacity = false)
    {
        var grid = new UprightGrid(width, height, exif);
        var pixels = new byte[3 * grid.Width * grid.Height];
        for (var y = 0; y < height; y++)
        {
            // The places of a row's pixels are equally far apart.
            var target = 3 * grid.IndexOf(0, y);
            var step = width > 1 ? (3 * grid.IndexOf(1, y)) - target : 0;
            foreach (var pixel in MemoryMarshal.Cast<byte, uint>(rgba.Slice(4 * y * width, 4 * width)))
            {
                var (red, green, blue, alpha) = ((byte)pixel, (byte)(pixel >> 8), (byte)(pixel >> 16), pixel >> 24);
                if (opacity)
                {
                    red = green = blue = (byte)alpha;
                }
                else if (alpha != 255)
                {
                    (red, green, blue) = (OverWhite(red, alpha), OverWhite(green, alpha), OverWhite(blue, alpha));
                }

                (pixels[target], pixels[target + 1], pixels[target + 2]) = (red, green, blue);
                target += step;
            }
        }

        return new RgbImage(grid.Width, grid.Height, pixels);
    }

    private static byte OverWhite(uint level, uint alpha) =>
        (byte)(((level * alpha) + (255 * (255 - alpha)) + 127) / 255);
}
