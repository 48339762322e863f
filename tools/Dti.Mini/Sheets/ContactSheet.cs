using Dti.Engine.Imaging;
using Dti.Mini.World;

namespace Dti.Mini.Sheets;

/// <summary>Many pictures on one.</summary>
internal static class ContactSheet
{
    /// <summary>Writes pictures of (128, 128, 3) bytes row by row, as a WebP or PNG file.</summary>
    public static void Write(string path, int columns, IReadOnlyList<byte[]> pictures)
    {
        const int side = SceneRenderer.Side;
        var rows = (pictures.Count + columns - 1) / columns;
        var pixels = new byte[columns * rows * SceneRenderer.Bytes];
        for (var i = 0; i < pictures.Count; i++)
        {
            for (var y = 0; y < side; y++)
            {
                var row = (i / columns * side) + y;
                pictures[i]
                    .AsSpan(3 * y * side, 3 * side)
                    .CopyTo(pixels.AsSpan(3 * ((row * columns * side) + (i % columns * side))));
            }
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllBytes(
            path,
            ImageCodec.Encode(
                new RgbImage(columns * side, rows * side, pixels),
                Path.GetExtension(path) == ".webp" ? ImageFormat.Webp : ImageFormat.Png,
                quality: 82
            )
        );
    }

    /// <summary>A rendered scene.</summary>
    public static byte[] Draw(Scene scene)
    {
        var pixels = new byte[SceneRenderer.Bytes];
        SceneRenderer.Render(scene, pixels);
        return pixels;
    }
}
