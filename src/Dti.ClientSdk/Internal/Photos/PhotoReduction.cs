using System.Runtime.InteropServices;
using Dti.Engine.Imaging;
using SkiaSharp;

namespace Dti.ClientSdk.Internal.Photos;

/// <summary>
/// A decoded photo that can be encoded in smaller sizes: upright, with the colours of an embedded profile converted to
/// sRGB, as JPEG, or as WebP where it has transparency. Its mask is reduced with it.
/// </summary>
internal sealed class PhotoReduction : IDisposable
{
    // The server's limits; larger photos are not decoded here either.
    private const long MaxPixels = 100_000_000;
    private const int LongestSide = 20_000;

    private readonly Photo _photo;
    private readonly SKImage _image;
    private readonly SKImage? _mask;

    private PhotoReduction(Photo photo, SKImage image, SKImage? mask) => (_photo, _image, _mask) = (photo, image, mask);

    /// <summary>Decodes a photo and its mask.</summary>
    /// <param name="photo">The photo.</param>
    /// <param name="failure">Why it cannot be decoded, as the end of a sentence.</param>
    /// <returns>Null: it cannot be decoded.</returns>
    public static PhotoReduction? Open(Photo photo, out string? failure)
    {
        try
        {
            if (Decode(photo.Data, out failure) is not { } image)
                return null;
            if (photo.Mask.IsEmpty)
                return new PhotoReduction(photo, image, null);

            var mask = Decode(photo.Mask, out failure);
            if (mask is not null && (mask.Width, mask.Height) == (image.Width, image.Height))
                return new PhotoReduction(photo, image, mask);

            failure = mask is null
                ? $"of its mask, {failure}"
                : $"it has {image.Width} × {image.Height} pixels and its mask {mask.Width} × {mask.Height}, which must be equal";
            image.Dispose();
            mask?.Dispose();
            return null;
        }
        catch (Exception exception) when (exception is DllNotFoundException or TypeInitializationException)
        {
            failure =
                "the native library of SkiaSharp is missing in this program, whose package is SkiaSharp.NativeAssets for its platform";
            return null;
        }
    }

    /// <summary>The photo in a smaller size.</summary>
    /// <param name="shorterSide">Pixels, at most.</param>
    /// <param name="quality">1 to 100.</param>
    public Photo To(int shorterSide, int quality)
    {
        var scale = Math.Min(1, shorterSide / (double)Math.Min(_image.Width, _image.Height));
        var (width, height) = ((int)Math.Round(_image.Width * scale), (int)Math.Round(_image.Height * scale));
        var format = _image.AlphaType == SKAlphaType.Opaque ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Webp;
        return _photo with
        {
            Data = Encode(_image, width, height, format, quality),
            Mask = _mask is null
                ? default(ReadOnlyMemory<byte>)
                : Encode(_mask, width, height, SKEncodedImageFormat.Png, quality),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _image.Dispose();
        _mask?.Dispose();
    }

    private static byte[] Encode(SKImage image, int width, int height, SKEncodedImageFormat format, int quality)
    {
        using var surface = SKSurface.Create(new SKImageInfo(width, height, image.ColorType, image.AlphaType));
        surface.Canvas.DrawImage(
            image,
            SKRect.Create(width, height),
            new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear)
        );
        using var resized = surface.Snapshot();
        using var data = resized.Encode(format, quality);
        return data.ToArray();
    }

    private static SKImage? Decode(ReadOnlyMemory<byte> file, out string? failure)
    {
        failure = "it is not a JPEG, PNG, WebP, BMP or GIF file that can be decoded";
        using var data = SKData.CreateCopy(file.Span);
        using var codec = SKCodec.Create(data);
        if (codec is null)
            return null;

        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if (width > LongestSide || height > LongestSide || (long)width * height > MaxPixels)
        {
            failure = $"it has {width} × {height} pixels, and at most 100 million and 20,000 a side are accepted";
            return null;
        }

        // As the server decodes it: without a profile, the stored values are kept.
        using var sRgb =
            codec.Info.ColorSpace is { IsSrgb: false } && PhotoMetadata.HasProfile(file.Span)
                ? SKColorSpace.CreateSrgb()
                : null;
        var alpha = codec.Info.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Premul;
        using var bitmap = new SKBitmap();
        if (!bitmap.TryAllocPixels(new SKImageInfo(width, height, SKColorType.Rgba8888, alpha, sRgb)))
        {
            failure = "there is not enough memory to decode it";
            return null;
        }

        if (codec.GetPixels(bitmap.Info, bitmap.GetPixels()) != SKCodecResult.Success)
            return null;

        failure = null;
        return Upright(bitmap, PhotoMetadata.Orientation(file.Span) ?? (int)codec.EncodedOrigin);
    }

    /// <summary>The pixels in the order that the EXIF orientation says, 1 to 8.</summary>
    private static SKImage Upright(SKBitmap stored, int exif)
    {
        var (width, height) = (stored.Width, stored.Height);
        var grid = new UprightGrid(width, height, exif);
        using var upright = new SKBitmap(new SKImageInfo(grid.Width, grid.Height, stored.ColorType, stored.AlphaType));
        var source = MemoryMarshal.Cast<byte, uint>(stored.GetPixelSpan());
        var target = MemoryMarshal.Cast<byte, uint>(upright.GetPixelSpan());
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                target[grid.IndexOf(x, y)] = source[(y * width) + x];
            }
        }

        return SKImage.FromBitmap(upright);
    }
}
