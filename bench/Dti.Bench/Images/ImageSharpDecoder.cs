using Dti.Engine;
using Dti.Engine.Imaging;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Dti.Bench.Images;

/// <summary>ImageSharp with the decoders of JPEG, PNG, WebP, BMP and GIF alone, each allocation bounded.</summary>
internal sealed class ImageSharpDecoder : IImageDecoder
{
    private const int AllocationLimitMegabytes = 1024;

    private static readonly Configuration _configuration = Configure();

    public string Name => "ImageSharp";

    public RgbImage Decode(byte[] file, ImageLimits limits)
    {
        try
        {
            using var header = new MemoryStream(file);
            var info = SixLabors.ImageSharp.Image.Identify(_configuration, header) ?? throw Refuse("is not an image");
            if (
                info.Width > limits.MaxSide
                || info.Height > limits.MaxSide
                || (long)info.Width * info.Height > limits.MaxPixels
            )
            {
                throw Refuse("is too large");
            }

            using var image = SixLabors.ImageSharp.Image.Load<Rgba32>(_configuration, file);
            image.Mutate(context => context.AutoOrient());
            return OverWhite(image);
        }
        catch (Exception error) when (error is ImageFormatException or InvalidMemoryOperationException)
        {
            throw new DtiException(ErrorKind.InvalidArgument, "The image is damaged.", innerException: error);
        }
    }

    public (int Width, int Height)? DecodeQuarter(byte[] file) => null; // DecoderOptions.TargetSize is of version 3

    private static Configuration Configure()
    {
        var configuration = new Configuration(
            new JpegConfigurationModule(),
            new PngConfigurationModule(),
            new WebpConfigurationModule(),
            new BmpConfigurationModule(),
            new GifConfigurationModule()
        )
        {
            MaxDegreeOfParallelism = 1,
            MemoryAllocator = MemoryAllocator.Create(
                new MemoryAllocatorOptions { AllocationLimitMegabytes = AllocationLimitMegabytes }
            ),
        };
        configuration.ImageFormatsManager.SetDecoder(
            GifFormat.Instance,
            new GifDecoder { DecodingMode = FrameDecodingMode.First }
        );
        return configuration;
    }

    private static RgbImage OverWhite(Image<Rgba32> image)
    {
        var pixels = new byte[3 * image.Width * image.Height];
        image.ProcessPixelRows(rows =>
        {
            var at = 0;
            for (var y = 0; y < rows.Height; y++)
            {
                foreach (var pixel in rows.GetRowSpan(y))
                {
                    pixels[at++] = Level(pixel.R, pixel.A);
                    pixels[at++] = Level(pixel.G, pixel.A);
                    pixels[at++] = Level(pixel.B, pixel.A);
                }
            }
        });
        return new RgbImage(image.Width, image.Height, pixels);
    }

    private static byte Level(int level, int alpha) => (byte)(((level * alpha) + (255 * (255 - alpha)) + 127) / 255);

    private static DtiException Refuse(string reason) => new(ErrorKind.InvalidArgument, $"The file {reason}.");
}
