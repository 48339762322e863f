using System.Buffers.Binary;
using System.IO.Compression;
using Dti.Engine.Imaging;
using SkiaSharp;

namespace Dti.Engine.Tests.Imaging;

/// <summary>Small picture files for tests.</summary>
internal static class Pictures
{
    /// <summary>A smooth picture that survives lossy encoding: red grows to the right, green downwards.</summary>
    public static RgbImage Gradient(int width, int height)
    {
        var pixels = new byte[3 * width * height];
        for (var i = 0; i < width * height; i++)
        {
            pixels[3 * i] = (byte)(255 * (i % width) / width);
            pixels[(3 * i) + 1] = (byte)(255 * (i / width) / height);
            pixels[(3 * i) + 2] = 60;
        }

        return new RgbImage(width, height, pixels);
    }

    public static byte[] Jpeg(int width, int height) =>
        ImageCodec.Encode(Gradient(width, height), ImageFormat.Jpeg, 95);

    public static byte[] Png(int width, int height) => ImageCodec.Encode(Gradient(width, height), ImageFormat.Png);

    /// <summary>A PNG with one pixel of this colour and transparency.</summary>
    public static byte[] TransparentPng(byte red, byte green, byte blue, byte alpha)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(1, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.SetPixel(0, 0, new SKColor(red, green, blue, alpha));
        return bitmap.Encode(SKEncodedImageFormat.Png, 100).ToArray();
    }

    /// <summary>A PNG or WebP with an EXIF orientation.</summary>
    public static byte[] WithExif(
        byte[] file,
        ImageFormat format,
        int width,
        int height,
        byte orientation,
        bool isLittle,
        bool prefixed
    )
    {
        byte[] tiff = isLittle
            ? [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
            : [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
        tiff = prefixed ? [.. "Exif\0\0"u8, .. tiff] : tiff;
        var length = new byte[4];
        if (format == ImageFormat.Png)
        {
            return [.. file[..33], .. Chunk("eXIf"u8, tiff), .. file[33..]]; // after IHDR
        }

        BinaryPrimitives.WriteInt32LittleEndian(length, tiff.Length);
        byte[] chunks =
        [
            .. "WEBPVP8X"u8,
            10,
            0,
            0,
            0,
            8,
            0,
            0,
            0,
            (byte)(width - 1),
            0,
            0,
            (byte)(height - 1),
            0,
            0,
            .. file[12..],
            .. "EXIF"u8,
            .. length,
            .. tiff,
        ];
        BinaryPrimitives.WriteInt32LittleEndian(length, chunks.Length);
        return [.. "RIFF"u8, .. length, .. chunks];
    }

    /// <summary>An image of one colour, stored in Display P3 with its profile.</summary>
    public static byte[] DisplayP3(string format, byte red, byte green, byte blue)
    {
        using var space = SKColorSpace.CreateRgb(SKColorSpaceTransferFn.Srgb, SKColorSpaceXyz.DisplayP3);
        using var bitmap = new SKBitmap(new SKImageInfo(16, 16, SKColorType.Rgba8888, SKAlphaType.Opaque, space));
        var pixels = bitmap.GetPixelSpan();
        for (var i = 0; i < pixels.Length; i += 4)
        {
            (pixels[i], pixels[i + 1], pixels[i + 2], pixels[i + 3]) = (red, green, blue, 255);
        }

        return bitmap.Encode(Enum.Parse<SKEncodedImageFormat>(format, ignoreCase: true), 100).ToArray();
    }

    /// <summary>A greyscale PNG.</summary>
    public static byte[] GreyPng(byte[] row)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(row.Length, 1, SKColorType.Gray8, SKAlphaType.Opaque));
        row.CopyTo(bitmap.GetPixelSpan());
        return bitmap.Encode(SKEncodedImageFormat.Png, 100).ToArray();
    }

    /// <summary>24-bit BMP, 2 × 2, bottom row first: red, green over blue, white.</summary>
    public static byte[] Bmp() =>
        [
            .. "BM"u8,
            70,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            54,
            0,
            0,
            0,
            40,
            0,
            0,
            0,
            2,
            0,
            0,
            0,
            2,
            0,
            0,
            0,
            1,
            0,
            24,
            0,
            0,
            0,
            0,
            0,
            16,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            255,
            0,
            0,
            255,
            255,
            255,
            0,
            0,
            0,
            0,
            255,
            0,
            255,
            0,
            0,
            0,
        ];

    /// <summary>GIF of two frames, 2 × 1: first red, blue; then white, white.</summary>
    public static byte[] Gif() =>
        [
            .. "GIF89a"u8,
            2,
            0,
            1,
            0,
            0x81,
            0,
            0,
            255,
            0,
            0,
            0,
            0,
            255,
            255,
            255,
            255,
            0,
            0,
            0,
            0x21,
            0xF9,
            4,
            0,
            10,
            0,
            0,
            0,
            0x2C,
            0,
            0,
            0,
            0,
            2,
            0,
            1,
            0,
            0,
            2,
            2,
            0x44,
            0x0A,
            0,
            0x21,
            0xF9,
            4,
            0,
            10,
            0,
            0,
            0,
            0x2C,
            0,
            0,
            0,
            0,
            2,
            0,
            1,
            0,
            0,
            2,
            2,
            0x94,
            0x0A,
            0,
            0x3B,
        ];

    /// <summary>The JPEG with an APP1 segment that holds nothing but an EXIF orientation.</summary>
    public static byte[] WithOrientation(byte[] jpeg, byte orientation)
    {
        byte[] exif =
        [
            0xFF,
            0xE1,
            0,
            34,
            .. "Exif\0\0"u8,
            .. "II*\0"u8,
            8,
            0,
            0,
            0,
            1,
            0,
            0x12,
            0x01,
            3,
            0,
            1,
            0,
            0,
            0,
            orientation,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        return [.. jpeg[..2], .. exif, .. jpeg[2..]];
    }

    /// <summary>A PNG that claims a size, and holds next to no pixels.</summary>
    public static byte[] PngHeader(int width, int height) => PngOf(width, height, 8, 2, [], [0, 0, 0, 0]);

    /// <summary>A PNG of one pixel, 16 bits a channel.</summary>
    public static byte[] SixteenBitPng(ushort red, ushort green, ushort blue) =>
        PngOf(
            1,
            1,
            16,
            2,
            [],
            [0, (byte)(red >> 8), (byte)red, (byte)(green >> 8), (byte)green, (byte)(blue >> 8), (byte)blue]
        );

    /// <summary>A PNG of one row of palette entries.</summary>
    public static byte[] PalettePng(byte[] palette, byte[] row) =>
        PngOf(row.Length, 1, 8, 3, Chunk("PLTE"u8, palette), [0, .. row]);

    private static byte[] PngOf(int width, int height, byte bits, byte colourType, byte[] palette, byte[] filteredRows)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (bits, colourType);
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(filteredRows);
        }

        return
        [
            0x89,
            .. "PNG\r\n\x1A\n"u8,
            .. Chunk("IHDR"u8, header),
            .. palette,
            .. Chunk("IDAT"u8, compressed.ToArray()),
            .. Chunk("IEND"u8, []),
        ];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> type, byte[] data)
    {
        byte[] body = [.. type, .. data];
        var chunk = new byte[body.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        body.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(body.Length + 4), Crc32(body));
        return chunk;
    }

    private static uint Crc32(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        return ~crc;
    }
}
