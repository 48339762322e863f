using Dti.Engine.Imaging;
using Dti.Engine.Training;

namespace Dti.Engine.Tests.Training;

/// <summary>Three photos of noise.</summary>
internal static class NoisePhotos
{
    public static TrainingSet Load() =>
        TrainingSet.Load(
            [
                .. Enumerable
                    .Range(0, 3)
                    .Select(number =>
                    {
                        var pixels = new byte[90 * 72 * 3];
                        new Random(number).NextBytes(pixels);
                        return new Photo(
                            $"{number}.png",
                            ImageCodec.Encode(new RgbImage(90, 72, pixels), ImageFormat.Png)
                        );
                    }),
            ],
            64,
            ImageLimits.Default
        );
}
