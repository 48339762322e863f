using Dti.Cli.Files;
using Dti.Engine.Imaging;
using SkiaSharp;

namespace Dti.Cli.Tests;

/// <summary>The animations of <c>dti interpolate</c>, read back by Skia's decoders.</summary>
public class AnimationTests
{
    private const int Width = 96;
    private const int Height = 70;

    // Noise in a third of the image fills the table of codes of a GIF several times.
    private static readonly RgbImage[] _frames =
    [
        .. Enumerable.Range(0, 3).Select(frame => new RgbImage(Width, Height, Pixels(frame))),
    ];

    [Fact]
    public void Gif_Frames_AreReadBackInTheirTimeAndNearlyTheirColours()
    {
        var file = AnimatedGif.Encode(_frames, TimeSpan.FromSeconds(0.125));

        Assert.Equal([120, 120, 120], Check(file, SKEncodedImageFormat.Gif, tolerance: 20));
    }

    [Fact]
    public void Webp_Frames_AreReadBackInTheirTimeAndNearlyTheirColours()
    {
        var file = AnimatedWebp.Encode(_frames, TimeSpan.FromSeconds(0.125), quality: 90);

        Assert.Equal([125, 125, 125], Check(file, SKEncodedImageFormat.Webp, tolerance: 20));
    }

    [Fact]
    public void Gif_FewColours_AreKept()
    {
        byte[] pixels = [.. Enumerable.Range(0, 64).SelectMany(i => i % 2 == 0 ? new byte[] { 4, 4, 4 } : [252, 4, 4])];

        var palette = ColorPalette.Of([new RgbImage(8, 8, pixels)], 256);

        Assert.Equal(
            [(4, 4, 4), (252, 4, 4)],
            palette.Colors.Select(color => ((int)color.Red, (int)color.Green, (int)color.Blue)).Order()
        );
    }

    private static int[] Check(byte[] file, SKEncodedImageFormat format, double tolerance)
    {
        using var data = SKData.CreateCopy(file);
        using var codec = SKCodec.Create(data);
        Assert.Equal((format, -1), (codec.EncodedFormat, codec.RepetitionCount)); // −1: without end
        Assert.Equal((Width, Height, _frames.Length), (codec.Info.Width, codec.Info.Height, codec.FrameCount));
        for (var frame = 0; frame < _frames.Length; frame++)
        {
            var info = new SKImageInfo(Width, Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
            using var bitmap = new SKBitmap(info);
            Assert.Equal(SKCodecResult.Success, codec.GetPixels(info, bitmap.GetPixels(), new SKCodecOptions(frame)));
            var (expected, read) = (_frames[frame].Pixels.ToArray(), bitmap.GetPixelSpan().ToArray());
            var error = Enumerable
                .Range(0, Width * Height)
                .Average(i => Enumerable.Range(0, 3).Average(c => Math.Abs(expected[(3 * i) + c] - read[(4 * i) + c])));
            Assert.InRange(error, 0, tolerance);
        }

        return [.. codec.FrameInfo.Select(info => info.Duration)];
    }

    private static byte[] Pixels(int frame)
    {
        var (random, pixels) = (new Random(frame), new byte[3 * Width * Height]);
        for (var i = 0; i < Width * Height; i++)
        {
            var (x, y) = (i % Width, i / Width);
            var noise = x < Width / 3 ? random.Next(60) : 0;
            pixels[3 * i] = (byte)(x * 2 + noise);
            pixels[(3 * i) + 1] = (byte)(y * 3 - noise / 3 < 0 ? 0 : y * 3 - noise / 3);
            pixels[(3 * i) + 2] = (byte)(80 * frame);
        }

        return pixels;
    }
}
