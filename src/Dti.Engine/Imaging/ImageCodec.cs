using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace Dti.Engine.Imaging;

/// <summary>Reads and writes image files; the only place that knows the library which does so (SkiaSharp).</summary>
public static class ImageCodec
{
    private const string Readable = "JPEG, PNG, WebP, BMP or GIF";

    /// <summary>
    /// Decodes JPEG, PNG, WebP, BMP, or the first frame of a GIF: turned upright by its EXIF orientation, transparency
    /// laid over white. Colours of an embedded profile (Display P3, Adobe RGB) become sRGB; the reference takes them
    /// for sRGB.
    /// </summary>
    /// <param name="data">The file.</param>
    /// <param name="name">The photo's name, for messages.</param>
    /// <param name="limits">Bounds; the header is held against them before a pixel is allocated.</param>
    /// <returns>The image as it is meant to be seen.</returns>
    /// <exception cref="DtiException">Not an image, cut off, damaged, or too large (<see
    /// cref="ErrorKind.InvalidArgument"/>).</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> data, string name, ImageLimits? limits = null) =>
        Read(data, name, limits, opacity: false).Image;

    /// <summary>As <see cref="Decode"/>, with what the file says of transparency.</summary>
    /// <inheritdoc cref="Decode"/>
    /// <returns>The image; and its opacity, 0 to 255, in each channel of another of that size, or null where the file
    /// has none.</returns>
    public static (RgbImage Image, RgbImage? Opacity) DecodeWithOpacity(
        ReadOnlySpan<byte> data,
        string name,
        ImageLimits? limits = null
    ) => Read(data, name, limits, opacity: true);

    /// <summary>Measures an image by its header. No pixel is decoded.</summary>
    /// <inheritdoc cref="Decode"/>
    /// <returns>Its size in pixels, upright.</returns>
    public static (int Width, int Height) Measure(ReadOnlySpan<byte> data, string name, ImageLimits? limits = null)
    {
        CheckFile(data, name, limits ?? ImageLimits.Default);
        using var file = SKData.CreateCopy(data);
        using var stream = new SKMemoryStream(file);
        using var codec = Open(stream, data, name, limits ?? ImageLimits.Default);
        var exif = PhotoMetadata.Orientation(data) ?? (int)codec.EncodedOrigin;
        var upright = new UprightGrid(codec.Info.Width, codec.Info.Height, exif);
        return (upright.Width, upright.Height);
    }

    private static (RgbImage Image, RgbImage? Opacity) Read(
        ReadOnlySpan<byte> data,
        string name,
        ImageLimits? limits,
        bool opacity
    )
    {
        limits ??= ImageLimits.Default;
        CheckFile(data, name, limits);
        using var file = SKData.CreateCopy(data);
        using var stream = new SKMemoryStream(file);
        using var codec = Open(stream, data, name, limits);

        // No colour space in the target: Skia then leaves the stored values alone, also those of a PNG that tells only
        // its gamma.
        var converts = codec.Info.ColorSpace is { IsSrgb: false } && PhotoMetadata.HasProfile(data);
        using var target = converts ? SKColorSpace.CreateSrgb() : null;
        var alpha = codec.Info.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul;
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, alpha, target);
        using var bitmap = new SKBitmap();
        if (!bitmap.TryAllocPixels(info))
        {
            throw new DtiException(
                ErrorKind.ResourceExhausted,
                $"There is not enough memory for photo '{name}'; send a smaller one."
            );
        }

        var decoded = codec.GetPixels(info, bitmap.GetPixels());
        if (decoded != SKCodecResult.Success)
        {
            throw CannotRead(decoded, name);
        }

        var orientation = PhotoMetadata.Orientation(data) ?? (int)codec.EncodedOrigin;
        RgbImage Upright(bool ofOpacity) =>
            Orientation.Upright(bitmap.GetPixelSpan(), info.Width, info.Height, orientation, ofOpacity);
        return (Upright(ofOpacity: false), opacity && alpha != SKAlphaType.Opaque ? Upright(ofOpacity: true) : null);
    }

    private static void CheckFile(ReadOnlySpan<byte> data, string name, ImageLimits limits)
    {
        if (data.IsEmpty)
        {
            throw Refuse($"Photo '{name}' is empty; send the file's bytes.");
        }

        if (data.Length > limits.MaxBytes)
        {
            throw Refuse(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Photo '{name}' has {data.Length:N0} bytes; send one of at most {limits.MaxBytes:N0}."
                )
            );
        }

        // A PNG's size is checked by hand first: the library reads on to the pixels before it tells.
        if (PngSize(data) is (var pngWidth, var pngHeight))
        {
            CheckSize(pngWidth, pngHeight, name, limits);
        }
    }

    /// <summary>The decoder of a file whose format and size are allowed.</summary>
    private static SKCodec Open(SKMemoryStream stream, ReadOnlySpan<byte> data, string name, ImageLimits limits)
    {
        var codec = SKCodec.Create(stream, out var opened)
            ?? throw OfPhones(data, name)
                ?? CannotRead(HasSignature(data) ? opened : SKCodecResult.Unimplemented, name);
        try
        {
            if (
                codec.EncodedFormat
                is not (
                    SKEncodedImageFormat.Jpeg
                    or SKEncodedImageFormat.Png
                    or SKEncodedImageFormat.Webp
                    or SKEncodedImageFormat.Bmp
                    or SKEncodedImageFormat.Gif
                )
            )
            {
                throw Refuse($"Photo '{name}' is a {codec.EncodedFormat} file; send {Readable}.");
            }

            CheckSize(codec.Info.Width, codec.Info.Height, name, limits);
            return codec;
        }
        catch
        {
            codec.Dispose();
            throw;
        }
    }

    /// <summary>Encodes an image. The same image gives the same bytes.</summary>
    /// <param name="image">The image.</param>
    /// <param name="format">The file format.</param>
    /// <param name="quality">1 (small) to 100 (fine), for JPEG and WebP; PNG keeps every level.</param>
    /// <returns>The file.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A quality outside 1 to 100, or an unknown format.</exception>
    public static byte[] Encode(RgbImage image, ImageFormat format, int quality = 92)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);

        using var bitmap = new SKBitmap(
            new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque)
        );
        var source = image.Pixels.Span;
        var target = MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan());
        for (var i = 0; i < target.Length; i++)
        {
            target[i] =
                0xFF00_0000 | ((uint)source[(3 * i) + 2] << 16) | ((uint)source[(3 * i) + 1] << 8) | source[3 * i];
        }

        using var pixmap = bitmap.PeekPixels();
        using var file = format switch
        {
            ImageFormat.Png => pixmap.Encode(new SKPngEncoderOptions(SKPngEncoderFilterFlags.AllFilters, 6)),
            ImageFormat.Jpeg => pixmap.Encode(new SKJpegEncoderOptions(quality)),
            ImageFormat.Webp => pixmap.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossy, quality)),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Unknown image format."),
        };
        return file?.ToArray()
            ?? throw new DtiException(
                ErrorKind.ResourceExhausted,
                $"A {image.Width} × {image.Height} image does not fit into {format}."
            );
    }

    private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    // A file too short for the library to tell its format reads as cut off, whatever it is.
    private static bool HasSignature(ReadOnlySpan<byte> data) =>
        data.StartsWith(PngSignature)
        || data.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])
        || data.StartsWith("RIFF"u8)
        || data.StartsWith("BM"u8)
        || data.StartsWith("GIF8"u8);

    private static (long Width, long Height)? PngSize(ReadOnlySpan<byte> data) =>
        data.Length >= 24 && data.StartsWith(PngSignature) && data[12..16].SequenceEqual("IHDR"u8)
            ? (BinaryPrimitives.ReadUInt32BigEndian(data[16..]), BinaryPrimitives.ReadUInt32BigEndian(data[20..]))
            : null;

    private static void CheckSize(long width, long height, string name, ImageLimits limits)
    {
        if (width > limits.MaxSide || height > limits.MaxSide || width * height > limits.MaxPixels)
        {
            throw Refuse(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Photo '{name}' is {width:N0} × {height:N0} pixels; send one of at most {limits.MaxSide:N0} a side and {limits.MaxPixels:N0} in all."
                )
            );
        }
    }

    /// <summary>The refusal of a format that phones and cameras write; null: it is none of these.</summary>
    private static DtiException? OfPhones(ReadOnlySpan<byte> data, string name)
    {
        if (data.Length < 12 || !data[4..].StartsWith("ftyp"u8))
        {
            return null;
        }

        var brands = data[8..Math.Min(data.Length, 32)];
        return brands.IndexOf("avi"u8) >= 0
                ? Refuse($"Photo '{name}' is AVIF, which cannot be decoded; save it as JPEG or PNG.")
            : brands.IndexOf("hei"u8) >= 0 || brands.IndexOf("mif1"u8) >= 0
                ? Refuse(
                    $"Photo '{name}' is HEIC, which cannot be decoded; save it as JPEG or PNG (phones: camera settings, most compatible)."
                )
            : null;
    }

    private static DtiException CannotRead(SKCodecResult result, string name) =>
        result switch
        {
            SKCodecResult.IncompleteInput => Refuse($"Photo '{name}' is cut off; send the whole file."),
            SKCodecResult.ErrorInInput => Refuse(
                $"Photo '{name}' is damaged; open it in an image program and save it again."
            ),
            _ => Refuse($"Photo '{name}' is not an image that Dti can read; send {Readable}."),
        };

    private static DtiException Refuse(string message) => new(ErrorKind.InvalidArgument, message);
}
