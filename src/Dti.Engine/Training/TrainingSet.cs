using System.Security.Cryptography;
using Dti.Engine.Imaging;
using Dti.Engine.Runtime;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// The photos of a concept, prepared as the reference does: the shorter side resized to the resolution (Pillow's bicubic),
/// a square cropped from the middle or at random, mirrored or not, values u8 / 127.5 − 1. Immutable once loaded.
/// </summary>
public sealed class TrainingSet
{
    /// <summary>Photos that a concept may be trained from, at most.</summary>
    public const int MaxPhotos = 50;

    private readonly IReadOnlyList<Entry> _entries;

    private TrainingSet(int resolution, IReadOnlyList<Entry> entries)
    {
        Resolution = resolution;
        _entries = entries;
    }

    /// <summary>Side of every crop, in pixels.</summary>
    public int Resolution { get; }

    /// <summary>Number of photos.</summary>
    public int Count => _entries.Count;

    /// <summary>Decodes and resizes every photo, once.</summary>
    /// <param name="photos">1 to <see cref="MaxPhotos"/> photos.</param>
    /// <param name="resolution">Side of the crops in pixels, 1 or more.</param>
    /// <param name="limits">What a photo may measure.</param>
    /// <exception cref="ValidationException">No photos, too many, or some that cannot be used; fields are <c>photos</c> and <c>photos[i]</c>.</exception>
    public static TrainingSet Load(IReadOnlyList<Photo> photos, int resolution, ImageLimits limits)
    {
        ArgumentNullException.ThrowIfNull(photos);
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(resolution);
        if (photos.Count is 0 or > MaxPhotos)
        {
            var found = photos.Count == 0 ? "There are no photos" : $"There are {photos.Count} photos";
            throw new ValidationException([new("photos", $"{found}; send 1 to {MaxPhotos} of the same thing, 3 to 6 are usual.")]);
        }

        var entries = new List<Entry>(photos.Count);
        var violations = new List<FieldViolation>();
        for (var i = 0; i < photos.Count; i++)
        {
            try
            {
                entries.Add(Prepare(photos[i], resolution, limits));
            }
            catch (DtiException refusal) when (refusal.Kind == ErrorKind.InvalidArgument)
            {
                violations.Add(new FieldViolation($"photos[{i}]", refusal.Message));
            }
        }

        return violations.Count == 0 ? new TrainingSet(resolution, entries) : throw new ValidationException(violations);
    }

    /// <summary>Size in pixels of a photo as it came, upright.</summary>
    /// <param name="index">Which photo, from 0.</param>
    public (int Height, int Width) OriginalSize(int index) => _entries[index].OriginalSize;

    /// <summary>Size in pixels of a photo after resizing; crops count from its top left.</summary>
    /// <param name="index">Which photo, from 0.</param>
    public (int Height, int Width) ResizedSize(int index) => (_entries[index].Resized.Height, _entries[index].Resized.Width);

    /// <summary>SHA-256 of a photo's file, in lower-case hexadecimal: names it in a concept's metadata.</summary>
    /// <param name="index">Which photo, from 0.</param>
    public string Sha256(int index) => _entries[index].Sha256;

    /// <summary>Chooses a crop: the middle one, or top, left and flip at random, in this order.</summary>
    /// <param name="photoIndex">Which photo, from 0.</param>
    /// <param name="centerCrop">Take the middle; an odd remainder is halved and rounded half to even.</param>
    /// <param name="randomFlip">Mirror one crop in two.</param>
    /// <param name="random">Source of chance; advanced only by what is drawn from it.</param>
    public PhotoCrop SampleCrop(int photoIndex, bool centerCrop, bool randomFlip, Pcg32 random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var (height, width) = ResizedSize(photoIndex);
        int top, left;
        if (centerCrop)
        {
            top = (int)Math.Round((height - Resolution) / 2.0);
            left = (int)Math.Round((width - Resolution) / 2.0);
        }
        else
        {
            top = random.NextInt(height - Resolution + 1);
            left = random.NextInt(width - Resolution + 1);
        }

        return new PhotoCrop(photoIndex, top, left, randomFlip && random.NextBool());
    }

    /// <summary>The pixels of a crop: (3, Resolution, Resolution) float32 on the CPU, in [−1, 1]. The caller disposes of it.</summary>
    /// <param name="crop">A crop of this set.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such photo, or the square reaches outside it.</exception>
    public Tensor Pixels(PhotoCrop crop)
    {
        ArgumentNullException.ThrowIfNull(crop);
        var square = _entries[crop.PhotoIndex].Resized.Crop(crop.Top, crop.Left, Resolution, Resolution);
        return (crop.Flip ? square.FlipHorizontal() : square).ToTensor();
    }

    private static Entry Prepare(Photo photo, int resolution, ImageLimits limits)
    {
        var image = ImageCodec.Decode(photo.Data, photo.Name, limits);
        int longer = Math.Max(image.Width, image.Height), shorter = Math.Min(image.Width, image.Height);
        if (longer > (long)limits.MaxAspectRatio * shorter)
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                $"Photo '{photo.Name}' is {image.Width} × {image.Height} pixels; crop it until the longer side is at most {limits.MaxAspectRatio} times the shorter.");
        }

        var (height, width) = BicubicResize.ShorterSideTo(resolution, image.Height, image.Width);
        var resized = BicubicResize.Resize(image, height, width);
        return new Entry(resized, (image.Height, image.Width), Convert.ToHexStringLower(SHA256.HashData(photo.Data)));
    }

    private sealed record Entry(RgbImage Resized, (int Height, int Width) OriginalSize, string Sha256);
}
