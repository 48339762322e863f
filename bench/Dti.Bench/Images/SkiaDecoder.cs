using Dti.Engine.Imaging;
using SkiaSharp;

namespace Dti.Bench.Images;

/// <summary>SkiaSharp, as Dti uses it.</summary>
internal sealed class SkiaDecoder : IImageDecoder
{
    public string Name => "SkiaSharp";

    public RgbImage Decode(byte[] file, ImageLimits limits) => ImageCodec.Decode(file, "image", limits);

    public (int Width, int Height)? DecodeQuarter(byte[] file)
    {
        using var codec = SKCodec.Create(new MemoryStream(file));
        var size = codec.GetScaledDimensions(0.25f);
        using var bitmap = new SKBitmap(codec.Info.WithSize(size.Width, size.Height));
        return codec.GetPixels(bitmap.Info, bitmap.GetPixels()) == SKCodecResult.Success
            ? (size.Width, size.Height)
            : null;
    }
}
