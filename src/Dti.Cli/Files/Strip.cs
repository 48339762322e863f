using Dti.ClientSdk;
using SkiaSharp;

namespace Dti.Cli.Files;

/// <summary>Images side by side in one.</summary>
internal static class Strip
{
    private const int WidestPixels = 16384;

    /// <summary>Joins images from left to right, as PNG; a strip that would be very wide is scaled down.</summary>
    /// <param name="pictures">At least one image, all of the same size.</param>
    public static byte[] Join(IReadOnlyList<Picture> pictures)
    {
        var scale = Math.Min(1.0, (double)WidestPixels / ((long)pictures[0].Width * pictures.Count));
        var width = Math.Max(1, (int)(pictures[0].Width * scale));
        var height = Math.Max(1, (int)(pictures[0].Height * scale));
        using var surface = SKSurface.Create(
            new SKImageInfo(width * pictures.Count, height, SKColorType.Rgba8888, SKAlphaType.Opaque)
        );
        for (var i = 0; i < pictures.Count; i++)
        {
            using var image = SKImage.FromEncodedData(SKData.CreateCopy(pictures[i].Data.Span));
            surface.Canvas.DrawImage(
                image,
                SKRect.Create(i * width, 0, width, height),
                new SKSamplingOptions(SKCubicResampler.Mitchell)
            );
        }

        using var strip = surface.Snapshot();
        using var data = strip.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }
}
