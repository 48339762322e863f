using System.Globalization;
using System.Numerics;
using Dti.Engine.Imaging;

namespace Dti.Engine.Training;

/// <summary>
/// What may be wrong with photos that can be used all the same: too small, out of focus, or nearly the same as another.
/// </summary>
internal static class PhotoChecks
{
    // From here on blur is told of. Photographs in focus lie between 0.18 and 0.43; after a Gaussian of two pixels
    // between 0.48 and 0.76.
    private const double Blurred = 0.5;

    // Of 64 bits. A photo saved once more as JPEG differs in 0 to 7, photos of one thing in two places in 10 or more.
    private const int Alike = 6;

    /// <summary>Warnings about a set of photos.</summary>
    /// <param name="photos">Names, sizes as they came, and images resized for training.</param>
    /// <param name="resolution">Side of the crops in pixels.</param>
    public static IEnumerable<TrainingWarning> Of(
        IReadOnlyList<(string Name, int Height, int Width, RgbImage Resized)> photos,
        int resolution
    )
    {
        foreach (var photo in photos.Where(photo => Math.Min(photo.Height, photo.Width) < resolution))
        {
            yield return new(
                "PHOTO_SMALL",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Photo '{photo.Name}' is {photo.Width} × {photo.Height} pixels and was enlarged for a resolution of {resolution}; a larger one shows more, or ask for a lower resolution."
                )
            );
        }

        foreach (
            var photo in photos.Where(photo =>
                Math.Min(photo.Height, photo.Width) >= resolution && Blur(photo.Resized) >= Blurred
            )
        ) // an enlarged one is told of already
        {
            yield return new(
                "PHOTO_BLURRED",
                $"Photo '{photo.Name}' looks blurred; the concept will learn the blur. Leave it out if you have sharper ones."
            );
        }

        ulong[] hashes = [.. photos.Select(photo => DifferenceHash(photo.Resized))];
        for (var i = 0; i < hashes.Length; i++)
        {
            for (var j = i + 1; j < hashes.Length; j++)
            {
                if (BitOperations.PopCount(hashes[i] ^ hashes[j]) <= Alike)
                {
                    yield return new(
                        "PHOTOS_ALIKE",
                        $"Photos '{photos[i].Name}' and '{photos[j].Name}' are nearly the same; others from another side or in another place teach more."
                    );
                }
            }
        }
    }

    /// <summary>
    /// How blurred an image is, 0 to 1: how little its steps from pixel to pixel shrink when it is blurred once more
    /// (Crété-Roffet et al., "The Blur Effect", 2007). Says the same of smooth and of busy images.
    /// </summary>
    /// <param name="image">At least 11 pixels a side; smaller ones give 0.</param>
    public static double Blur(RgbImage image)
    {
        var levels = Grey(image);
        return Math.Max(
            Along(levels, image.Height, image.Width, image.Width, 1),
            Along(levels, image.Width, image.Height, 1, image.Width)
        );
    }

    /// <summary>64 bits, each whether an image of 9 × 8 falls or rises from a pixel to the next.</summary>
    public static ulong DifferenceHash(RgbImage image)
    {
        var small = Grey(PillowResize.Resize(image, 8, 9));
        var hash = 0UL;
        for (var y = 0; y < 8; y++)
        {
            for (var x = 0; x < 8; x++)
            {
                hash = (hash << 1) | (small[(9 * y) + x] < small[(9 * y) + x + 1] ? 1UL : 0);
            }
        }

        return hash;
    }

    // Lines of n pixels, from one to the next `step` apart.
    private static double Along(float[] levels, int lines, int n, int lineStep, int step)
    {
        const int reach = 4; // a box of nine pixels
        double all = 0,
            kept = 0;
        for (var line = 0; line < lines; line++)
        {
            var start = line * lineStep;
            for (var i = reach + 1; i < n - reach; i++)
            {
                var difference = Math.Abs(levels[start + (i * step)] - levels[start + ((i - 1) * step)]);
                var blurred =
                    Math.Abs(levels[start + ((i + reach) * step)] - levels[start + ((i - reach - 1) * step)])
                    / ((2 * reach) + 1); // the difference of two boxes
                all += difference;
                kept += Math.Max(0, difference - blurred);
            }
        }

        return all > 0 ? (all - kept) / all : 0;
    }

    private static float[] Grey(RgbImage image)
    {
        var pixels = image.Pixels.Span;
        var levels = new float[image.Width * image.Height];
        for (var i = 0; i < levels.Length; i++)
        {
            levels[i] = (0.299f * pixels[3 * i]) + (0.587f * pixels[(3 * i) + 1]) + (0.114f * pixels[(3 * i) + 2]);
        }

        return levels;
    }
}
