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
            for (var x = 0; x < width; x++)
            {
                var pixel = rgba.Slice(4 * ((y * width) + x), 4);
                var target = pixels.AsSpan(3 * grid.IndexOf(x, y), 3);
                for (var channel = 0; channel < 3; channel++)
                {
                    target[channel] = opacity ? pixel[3] : OverWhite(pixel[channel], pixel[3]);
                }
            }
        }

        return new RgbImage(grid.Width, grid.Height, pixels);
    }

    private static byte OverWhite(int level, int alpha) =>
        (byte)(((level * alpha) + (255 * (255 - alpha)) + 127) / 255);
}
