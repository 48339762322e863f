using Dti.Engine.Imaging;

namespace Dti.Bench.Images;

/// <summary>An image library behind the same checks: limits by the header, an upright image in sRGB.</summary>
internal interface IImageDecoder
{
    /// <summary>The library, as an argument and in tables.</summary>
    string Name { get; }

    /// <summary>Decodes a file as <see cref="ImageCodec.Decode"/> does.</summary>
    /// <exception cref="Dti.Engine.DtiException">The file is refused.</exception>
    RgbImage Decode(byte[] file, ImageLimits limits);

    /// <summary>Decodes a JPEG at a quarter of its width and height.</summary>
    /// <returns>Its size in pixels; null: the library decodes at full size only.</returns>
    (int Width, int Height)? DecodeQuarter(byte[] file);
}
