using Dti.Engine.Imaging;
using Dti.Mini.World;

namespace Dti.Mini.Sheets;

/// <summary>Many pictures on one.</summary>
internal static class ContactSheet
{
    /// <summary>Writes pictures of (128, 128, 3) bytes row by row, as a WebP or PNG file.</summary>
    public static void Write(string path, int columns, IReadOnlyList<byte[]> pictures) =>
        Write(path, columns, pictures, SceneRenderer.Side);

    /// <summary>The same at half of their size.</summary>
    public static void WriteHalved(string path, int columns, IReadOnlyList<byte[]> pictures) =>
        Write(path, columns, [.. pictures.Select(Halve)], SceneRenderer.Side / 2);

    private static void Write(string path, int columns, IReadOnlyList<byte[]> pictures, int side)
    {
        var rows = (pictures.Count + columns - 1) / columns;
        var pixels = new byte[columns * rows * 3 * side * side];
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

    /// <summary>The mean of each four pixels.</summary>
    private static byte[] Halve(byte[] picture)
    {
        const int side = SceneRenderer.Side / 2;
        const int row = 3 * SceneRenderer.Side;
        var half = new byte[3 * side * side];
        for (var i = 0; i < half.Length; i++)
        {
            var (y, x, channel) = (i / (3 * side), i / 3 % side, i % 3);
            var at = (2 * y * row) + (6 * x) + channel;
            half[i] = (byte)((picture[at] + picture[at + 3] + picture[at + row] + picture[at + row + 3] + 2) / 4);
        }

        return half;
    }

    /// <summary>A rendered scene.</summary>
    public static byte[] Draw(Scene scene)
    {
        var pixels = new byte[SceneRenderer.Bytes];
        SceneRenderer.Render(scene, pixels);
        return pixels;
    }
}
