using System.Buffers.Binary;
using Dti.Engine.Imaging;

namespace Dti.Cli.Files;

/// <summary>
/// Endless WebP animations: stills of the codec, put into the container that Google specifies (developers.google.com,
/// "WebP Container Specification").
/// </summary>
internal static class AnimatedWebp
{
    private const int HeaderBytes = 12;

    /// <summary>Encodes images as frames.</summary>
    /// <param name="frames">At least one, all of the same size.</param>
    /// <param name="frameTime">Of each frame.</param>
    /// <param name="quality">1 to 100.</param>
    public static byte[] Encode(IReadOnlyList<RgbImage> frames, TimeSpan frameTime, int quality)
    {
        byte[] size = [.. Number(frames[0].Width - 1, 3), .. Number(frames[0].Height - 1, 3)];
        using var body = new MemoryStream();
        body.Write("WEBP"u8);
        WriteChunk(body, "VP8X"u8, [0b0000_0010, 0, 0, 0, .. size]); // an animation
        WriteChunk(body, "ANIM"u8, new byte[6]); // without end
        foreach (var frame in frames)
        {
            var still = ImageCodec.Encode(frame, ImageFormat.Webp, quality);
            WriteChunk(
                body,
                "ANMF"u8,
                [
                    .. new byte[6], // at the top left
                    .. size,
                    .. Number((int)frameTime.TotalMilliseconds, 3),
                    0b10, // replaces what was there
                    .. still.AsSpan(HeaderBytes), // the chunk VP8 of an opaque image
                ]
            );
        }

        using var file = new MemoryStream();
        WriteChunk(file, "RIFF"u8, body.ToArray());
        return file.ToArray();
    }

    private static void WriteChunk(MemoryStream file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        file.Write(name);
        file.Write(Number(data.Length, 4));
        file.Write(data);
        if (data.Length % 2 == 1)
            file.WriteByte(0);
    }

    private static byte[] Number(int number, int bytes)
    {
        var all = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(all, number);
        return all[..bytes];
    }
}
