using System.Buffers.Binary;
using Dti.Engine.Imaging;

namespace Dti.Cli.Files;

/// <summary>Endless GIF animations (GIF89a), with one palette for all frames and ordered dithering.</summary>
internal static class AnimatedGif
{
    private const int Colors = 256;
    private const int MaxCode = 4096;

    // A 4 × 4 Bayer matrix: it stays where it is from frame to frame, while diffused errors would flicker.
    private static readonly int[] _bayer = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];

    /// <summary>Encodes images as frames.</summary>
    /// <param name="frames">At least one, all of the same size.</param>
    /// <param name="frameTime">Of each frame; a GIF counts hundredths of a second.</param>
    public static byte[] Encode(IReadOnlyList<RgbImage> frames, TimeSpan frameTime)
    {
        var (width, height) = (frames[0].Width, frames[0].Height);
        var palette = ColorPalette.Of(frames, Colors);
        using var file = new MemoryStream();
        file.Write("GIF89a"u8);
        WriteNumber(file, width);
        WriteNumber(file, height);
        file.Write([0b1111_0111, 0, 0]); // a palette of 256 colours for all frames
        foreach (var (red, green, blue) in palette.Colors)
            file.Write([red, green, blue]);
        file.Write(new byte[3 * (Colors - palette.Colors.Count)]);
        file.Write([0x21, 0xFF, 11, .. "NETSCAPE2.0"u8, 3, 1, 0, 0, 0]); // without end
        var hundredths = Math.Max(2, (int)Math.Round(frameTime.TotalMilliseconds / 10)); // browsers slow down less
        foreach (var frame in frames)
        {
            file.Write([0x21, 0xF9, 4, 0]);
            WriteNumber(file, hundredths);
            file.Write([0, 0, 0x2C, 0, 0, 0, 0]);
            WriteNumber(file, width);
            WriteNumber(file, height);
            file.Write([0, 8]); // no palette of its own; codes begin with 9 bits
            WriteBlocks(file, Compress(Indices(frame, palette)));
        }

        file.WriteByte(0x3B);
        return file.ToArray();
    }

    private static byte[] Indices(RgbImage frame, ColorPalette palette)
    {
        var pixels = frame.Pixels.Span;
        var indices = new byte[frame.Width * frame.Height];
        for (var i = 0; i < indices.Length; i++)
        {
            var (x, y) = (i % frame.Width, i / frame.Width);
            var shift = (_bayer[((y & 3) * 4) + (x & 3)] / 2) - 4; // as wide as a bin of the palette
            indices[i] = palette.Nearest(
                Math.Clamp(pixels[3 * i] + shift, 0, 255),
                Math.Clamp(pixels[(3 * i) + 1] + shift, 0, 255),
                Math.Clamp(pixels[(3 * i) + 2] + shift, 0, 255)
            );
        }

        return indices;
    }

    /// <summary>LZW as GIF has it: codes of 9 to 12 bits, low bits first; a full table starts again.</summary>
    private static byte[] Compress(byte[] indices)
    {
        const int Clear = 256;
        const int End = 257;
        using var bytes = new MemoryStream();
        var (bits, bitCount, size) = (0u, 0, 9);
        var table = new Dictionary<int, int>();
        var next = End + 1;
        Emit(Clear);
        int prefix = indices[0];
        foreach (var index in indices.AsSpan(1))
        {
            var pair = (prefix << 8) | index;
            if (table.TryGetValue(pair, out var code))
            {
                prefix = code;
                continue;
            }

            Emit(prefix);
            if (next < MaxCode)
            {
                if (next == 1 << size)
                    size++;
                table.Add(pair, next++);
            }
            else
            {
                Emit(Clear);
                table.Clear();
                (next, size) = (End + 1, 9);
            }

            prefix = index;
        }

        Emit(prefix);
        if (next == 1 << size && size < 12)
            size++;
        Emit(End);
        if (bitCount > 0)
            bytes.WriteByte((byte)bits);
        return bytes.ToArray();

        void Emit(int code)
        {
            bits |= (uint)code << bitCount;
            for (bitCount += size; bitCount >= 8; bitCount -= 8)
            {
                bytes.WriteByte((byte)bits);
                bits >>= 8;
            }
        }
    }

    private static void WriteBlocks(MemoryStream file, ReadOnlySpan<byte> data)
    {
        for (; data.Length > 0; data = data[Math.Min(255, data.Length)..])
        {
            var block = data[..Math.Min(255, data.Length)];
            file.WriteByte((byte)block.Length);
            file.Write(block);
        }

        file.WriteByte(0);
    }

    private static void WriteNumber(MemoryStream file, int number)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, checked((ushort)number));
        file.Write(bytes);
    }
}
