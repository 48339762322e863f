using Dti.Engine.Runtime;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.PixelFormats;

namespace Dti.Bench.Images;

/// <summary>Valid image files, in the variants that cameras, browsers and image programs write.</summary>
internal static class SampleFiles
{
    private static readonly (string Name, IImageEncoder Encoder)[] _variants =
    [
        ("jpeg", new JpegEncoder { Quality = 90, ColorType = JpegColorType.YCbCrRatio420 }),
        ("jpeg 4:4:4", new JpegEncoder { Quality = 90, ColorType = JpegColorType.YCbCrRatio444 }),
        ("jpeg grey", new JpegEncoder { ColorType = JpegColorType.Luminance }),
        ("png", new PngEncoder { ColorType = PngColorType.Rgb }),
        ("png interlaced", new PngEncoder { InterlaceMethod = PngInterlaceMode.Adam7 }),
        ("png 16 bits", new PngEncoder { ColorType = PngColorType.RgbWithAlpha, BitDepth = PngBitDepth.Bit16 }),
        ("png palette", new PngEncoder { ColorType = PngColorType.Palette }),
        ("webp lossy", new WebpEncoder { FileFormat = WebpFileFormatType.Lossy }),
        ("webp lossless", new WebpEncoder { FileFormat = WebpFileFormatType.Lossless }),
        ("bmp", new BmpEncoder { BitsPerPixel = BmpBitsPerPixel.Pixel24 }),
        ("bmp palette", new BmpEncoder { BitsPerPixel = BmpBitsPerPixel.Pixel8 }),
        ("bmp alpha", new BmpEncoder { BitsPerPixel = BmpBitsPerPixel.Pixel32, SupportTransparency = true }),
        ("gif", new GifEncoder()),
    ];

    /// <summary>Small files, which decoders go through in a fraction of a millisecond.</summary>
    public static IReadOnlyList<(string Name, byte[] File)> Small() =>
        [
            .. _variants.Select(variant => (variant.Name, Encode(Pattern(40, 28, 8), variant.Encoder))),
            ("jpeg progressive", Stored("progressive.jpg")),
            ("jpeg CMYK", Stored("cmyk.jpg")),
        ];

    /// <summary>Photos of 4000 × 3000 pixels.</summary>
    public static IReadOnlyList<(string Name, byte[] File)> Large()
    {
        using var photo = Pattern(4000, 3000, 40);
        return
        [
            .. _variants
                .Where(variant => variant.Name is "jpeg" or "png" or "png 16 bits" or "webp lossy" or "bmp")
                .Select(variant => (variant.Name, Encode(photo, variant.Encoder))),
        ];
    }

    /// <summary>A file of the benchmark that neither library can write.</summary>
    public static byte[] Stored(string name) =>
        File.ReadAllBytes(Path.Combine(Folders.Bench, "Dti.Bench", "Images", name));

    /// <summary>Waves of colour with noise, as much of it as a camera's, and transparency in a corner.</summary>
    private static Image<Rgba32> Pattern(int width, int height, double wave)
    {
        var random = new Pcg32(1);
        var image = new Image<Rgba32>(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var noise = random.NextInt(9) - 4;
                byte Level(double phase) => (byte)(128 + (100 * Math.Sin(phase)) + noise);
                image[x, y] = new Rgba32(
                    Level(x / wave),
                    Level(y / wave),
                    Level((x + y) / wave),
                    (byte)(x + y < 12 ? 100 : 255)
                );
            }
        }

        return image;
    }

    private static byte[] Encode(Image<Rgba32> image, IImageEncoder encoder)
    {
        using var stream = new MemoryStream();
        image.Save(stream, encoder);
        return stream.ToArray();
    }
}
