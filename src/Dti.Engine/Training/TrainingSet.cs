using System.Security.Cryptography;
using System.Text;
using Dti.Engine.Imaging;
using Dti.Engine.Runtime;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// The photos of a concept, prepared as the reference does: the shorter side resized to the resolution (Pillow's
/// bicubic), a square cropped from the middle or at random, mirrored or not, values u8 / 127.5 − 1. Immutable once
/// loaded.
/// </summary>
public sealed class TrainingSet
{
    /// <summary>Photos that a concept may be trained from, at most.</summary>
    public const int MaxPhotos = 50;

    private const int BytesPerPixel = 7; // of a photo while it is decoded: as the library gives it, and upright
    private readonly List<Entry> _entries;

    private TrainingSet(int resolution, List<Entry> entries)
    {
        Resolution = resolution;
        _entries = entries;
        HasMasks = entries.Any(entry => entry.Mask is not null);
    }

    /// <summary>What the user should know of the photos; measured when it is asked for.</summary>
    public IReadOnlyList<TrainingWarning> Warnings =>
        [
            .. PhotoChecks.Of(
                [
                    .. _entries.Select(entry =>
                        (entry.Name, entry.OriginalSize.Height, entry.OriginalSize.Width, entry.Resized)
                    ),
                ],
                Resolution
            ),
        ];

    /// <summary>Side of every crop, in pixels.</summary>
    public int Resolution { get; }

    /// <summary>Number of photos.</summary>
    public int Count => _entries.Count;

    /// <summary>Decodes and resizes every photo, once.</summary>
    /// <param name="photos">1 to <see cref="MaxPhotos"/> photos.</param>
    /// <param name="resolution">Side of the crops in pixels, 1 or more.</param>
    /// <param name="limits">What a photo may measure.</param>
    /// <param name="initializer">The initial word, whose place the concept takes in captions that do not say where it
    /// goes.</param>
    /// <param name="useAlpha">Where a photo has no mask, its opacity is one.</param>
    /// <param name="cancellationToken">Ends it before the next photo.</param>
    /// <exception cref="ValidationException">
    /// No photos, too many, or some that cannot be used; fields are <c>photos</c>, <c>photos[i]</c>,
    /// <c>photos[i].mask</c> and <c>photos[i].caption</c>.
    /// </exception>
    public static TrainingSet Load(
        IReadOnlyList<Photo> photos,
        int resolution,
        ImageLimits limits,
        string initializer = "",
        bool useAlpha = false,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(resolution);
        return new TrainingSet(
            resolution,
            Each(photos, photo => Prepare(photo, resolution, limits, initializer, useAlpha), cancellationToken)
        );
    }

    /// <summary>Measures every photo and its mask by their headers. No pixel is decoded.</summary>
    /// <param name="photos">1 to <see cref="MaxPhotos"/> photos.</param>
    /// <param name="resolution">Side of the crops in pixels, 1 or more.</param>
    /// <param name="limits">What a photo may measure.</param>
    /// <param name="useAlpha">Where a photo has no mask, its opacity is one.</param>
    /// <returns>What <see cref="Load"/> takes of memory.</returns>
    /// <exception cref="ValidationException">As <see cref="Load"/>, for what headers tell.</exception>
    public static TrainingSetSize Measure(
        IReadOnlyList<Photo> photos,
        int resolution,
        ImageLimits limits,
        bool useAlpha = false
    )
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(resolution);
        var sizes = Each(
            photos,
            photo =>
            {
                var (photoWidth, photoHeight) = ImageCodec.Measure(photo.Data, photo.Name, limits);
                EnsureShape(photo, photoWidth, photoHeight, limits);
                var masked = photo.Mask is null
                    ? default
                    : OfMask(() => ImageCodec.Measure(photo.Mask, $"{photo.Name} (mask)", limits));
                var (height, width) = PillowResize.ShorterSideTo(resolution, photoHeight, photoWidth);
                var layers = photo.Mask is not null || useAlpha ? 2 : 1;
                return new TrainingSetSize(
                    3L * layers * height * width,
                    (
                        BytesPerPixel
                        * layers
                        * Math.Max((long)photoWidth * photoHeight, (long)masked.Width * masked.Height)
                    ) + (3L * width * photoHeight)
                ); // rows are resized first
            },
            CancellationToken.None
        );
        return new TrainingSetSize(sizes.Sum(size => size.HeldBytes), sizes.Max(size => size.DecodingBytes));
    }

    /// <summary>Decodes a photo and its mask, and lets the pixels go: whether <see cref="Load"/> can use it.</summary>
    /// <param name="photo">The photo.</param>
    /// <param name="index">Which photo it is, from 0; names the fields.</param>
    /// <param name="limits">What a photo may measure.</param>
    /// <param name="initializer">The initial word, as for <see cref="Load"/>.</param>
    /// <returns>What is wrong with it; null: nothing.</returns>
    public static FieldViolation? Check(Photo photo, int index, ImageLimits limits, string initializer)
    {
        try
        {
            Decode(photo, limits, initializer, useAlpha: false);
            return null;
        }
        catch (DtiException refusal) when (refusal.Kind == ErrorKind.InvalidArgument)
        {
            return new FieldViolation($"photos[{index}]{refusal.Field}", refusal.Message);
        }
    }

    private static List<T> Each<T>(
        IReadOnlyList<Photo> photos,
        Func<Photo, T> look,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(photos);
        if (photos.Count is 0 or > MaxPhotos)
        {
            var found = photos.Count == 0 ? "There are no photos" : $"There are {photos.Count} photos";
            throw new ValidationException([
                new("photos", $"{found}; send 1 to {MaxPhotos} of the same thing, 3 to 6 are usual."),
            ]);
        }

        var all = new List<T>(photos.Count);
        var violations = new List<FieldViolation>();
        for (var i = 0; i < photos.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                all.Add(look(photos[i]));
            }
            catch (DtiException refusal) when (refusal.Kind == ErrorKind.InvalidArgument)
            {
                violations.Add(new FieldViolation($"photos[{i}]{refusal.Field}", refusal.Message));
            }
        }

        return violations.Count == 0 ? all : throw new ValidationException(violations);
    }

    /// <summary>Size in pixels of a photo as it came, upright.</summary>
    /// <param name="index">Which photo, from 0.</param>
    public (int Height, int Width) OriginalSize(int index) => _entries[index].OriginalSize;

    /// <summary>Size in pixels of a photo after resizing; crops count from its top left.</summary>
    /// <param name="index">Which photo, from 0.</param>
    public (int Height, int Width) ResizedSize(int index) =>
        (_entries[index].Resized.Height, _entries[index].Resized.Width);

    /// <summary>SHA-256 of a photo's file, in lower-case hexadecimal: names it in a concept's metadata.</summary>
    /// <param name="index">Which photo, from 0.</param>
    public string Sha256(int index) => _entries[index].Sha256;

    /// <summary>What training sees of a photo, in hexadecimal: its file, its mask's and its caption.</summary>
    /// <param name="index">Which photo, from 0.</param>
    internal string Fingerprint(int index) => _entries[index].Fingerprint;

    /// <summary>A photo's own template, with <c>{}</c> for the concept; null: it has no caption.</summary>
    /// <param name="index">Which photo, from 0.</param>
    public string? Caption(int index) => _entries[index].Caption;

    /// <summary>Whether any photo has a mask.</summary>
    public bool HasMasks { get; }

    /// <summary>Chooses a crop: the middle one, or top, left and flip at random, in this order.</summary>
    /// <param name="photoIndex">Which photo, from 0.</param>
    /// <param name="centerCrop">Take the middle.</param>
    /// <param name="randomFlip">Mirror one crop in two.</param>
    /// <param name="random">Random generator; it advances only when values are drawn from it.</param>
    public PhotoCrop SampleCrop(int photoIndex, bool centerCrop, bool randomFlip, Pcg32 random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var crop = CenterCrop(photoIndex);
        if (!centerCrop)
        {
            var (height, width) = ResizedSize(photoIndex);
            crop = crop with
            {
                Top = random.NextInt(height - Resolution + 1),
                Left = random.NextInt(width - Resolution + 1),
            };
        }

        return crop with
        {
            Flip = randomFlip && random.NextBool(),
        };
    }

    /// <summary>The middle of a photo; an odd remainder is halved and rounded half to even.</summary>
    /// <param name="photoIndex">Which photo, from 0.</param>
    public PhotoCrop CenterCrop(int photoIndex)
    {
        var (height, width) = ResizedSize(photoIndex);
        return new PhotoCrop(
            photoIndex,
            (int)Math.Round((height - Resolution) / 2.0),
            (int)Math.Round((width - Resolution) / 2.0),
            Flip: false
        );
    }

    /// <summary>
    /// What models that are conditioned on sizes are told of crops (SDXL): (B, 6) fp32, the photo's height and width as
    /// it came, top and left of the crop, its height and width.
    /// </summary>
    internal Tensor Sizes(IReadOnlyList<PhotoCrop> crops) =>
        tensor(
            crops
                .SelectMany(crop =>
                    new float[]
                    {
                        OriginalSize(crop.PhotoIndex).Height,
                        OriginalSize(crop.PhotoIndex).Width,
                        crop.Top,
                        crop.Left,
                        Resolution,
                        Resolution,
                    }
                )
                .ToArray(),
            [crops.Count, 6]
        );

    /// <summary>
    /// The pixels of a crop: (3, Resolution, Resolution) float32 on the CPU, in [−1, 1]. The caller disposes of it.
    /// </summary>
    /// <param name="crop">A crop of this set.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such photo, or the square reaches outside it.</exception>
    public Tensor Pixels(PhotoCrop crop)
    {
        ArgumentNullException.ThrowIfNull(crop);
        return Cut(_entries[crop.PhotoIndex].Resized, crop).ToTensor();
    }

    /// <summary>
    /// How much each cell of a crop's latents counts: (1, side, side) float32 on the CPU, the mask's mean over the
    /// cell's pixels, in [0, 1]; 1 everywhere for a photo without a mask. The caller disposes of it.
    /// </summary>
    /// <param name="crop">A crop of this set.</param>
    /// <param name="side">Cells along each side.</param>
    public Tensor Mask(PhotoCrop crop, int side)
    {
        ArgumentNullException.ThrowIfNull(crop);
        if (_entries[crop.PhotoIndex].Mask is not { } mask)
        {
            return ones(1, side, side);
        }

        using var scope = NewDisposeScope();
        var levels = (Cut(mask, crop).ToTensor()[0] + 1) / 2; // (Resolution, Resolution) in [0, 1]
        return nn.functional.adaptive_avg_pool2d(levels.unsqueeze(0), side).MoveToOuterDisposeScope();
    }

    private RgbImage Cut(RgbImage image, PhotoCrop crop)
    {
        var square = image.Crop(crop.Top, crop.Left, Resolution, Resolution);
        return crop.Flip ? square.FlipHorizontal() : square;
    }

    private static Entry Prepare(Photo photo, int resolution, ImageLimits limits, string initializer, bool useAlpha)
    {
        var (image, mask, caption) = Decode(photo, limits, initializer, useAlpha);
        var (height, width) = PillowResize.ShorterSideTo(resolution, image.Height, image.Width);
        return new Entry(
            photo.Name,
            PillowResize.Resize(image, height, width),
            mask is null ? null : PillowResize.Resize(mask, height, width),
            caption,
            (image.Height, image.Width),
            Hash(photo.Data),
            Hash([
                .. SHA256.HashData(photo.Data),
                .. SHA256.HashData(photo.Mask ?? []),
                .. Encoding.UTF8.GetBytes(caption ?? ""),
            ])
        );
    }

    private static (RgbImage Image, RgbImage? Mask, string? Caption) Decode(
        Photo photo,
        ImageLimits limits,
        string initializer,
        bool useAlpha
    )
    {
        var (image, opacity) =
            useAlpha && photo.Mask is null
                ? ImageCodec.DecodeWithOpacity(photo.Data, photo.Name, limits)
                : (ImageCodec.Decode(photo.Data, photo.Name, limits), null);
        EnsureShape(photo, image.Width, image.Height, limits);
        var mask = photo.Mask is null ? opacity : DecodeMask(photo, image, limits);
        var caption = photo.Caption is null
            ? null
            : PromptTemplates.Parse(photo.Caption, initializer)
                ?? throw new DtiException(
                    ErrorKind.InvalidArgument,
                    $"The caption of photo '{photo.Name}' does not say where the concept goes: write {PromptTemplates.Concept} there{(initializer.Length > 0 ? $", or the initial word '{initializer}'" : "")}.",
                    ".caption"
                );
        return (image, mask, caption);
    }

    private static void EnsureShape(Photo photo, int width, int height, ImageLimits limits)
    {
        if (Math.Max(width, height) > (long)limits.MaxAspectRatio * Math.Min(width, height))
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                $"Photo '{photo.Name}' is {width} × {height} pixels; crop it until the longer side is at most {limits.MaxAspectRatio} times the shorter."
            );
        }
    }

    private static string Hash(byte[] data) => Convert.ToHexStringLower(SHA256.HashData(data));

    private static RgbImage DecodeMask(Photo photo, RgbImage image, ImageLimits limits) =>
        OfMask(() =>
        {
            var mask = ImageCodec.Decode(photo.Mask, $"{photo.Name} (mask)", limits);
            if (
                Math.Abs(((double)mask.Width / mask.Height) - ((double)image.Width / image.Height))
                > 0.02 * image.Width / image.Height
            )
            {
                throw new DtiException(
                    ErrorKind.InvalidArgument,
                    $"The mask of photo '{photo.Name}' is {mask.Width} × {mask.Height} pixels and the photo {image.Width} × {image.Height}; both must have the same shape."
                );
            }

            return mask.Pixels.Span.IndexOfAnyInRange((byte)128, (byte)255) >= 0
                ? mask
                : throw new DtiException(
                    ErrorKind.InvalidArgument,
                    $"The mask of photo '{photo.Name}' is dark all over, so nothing of the photo would count; paint the concept white."
                );
        });

    private static T OfMask<T>(Func<T> look)
    {
        try
        {
            return look();
        }
        catch (DtiException refusal) when (refusal.Kind == ErrorKind.InvalidArgument)
        {
            throw new DtiException(ErrorKind.InvalidArgument, refusal.Message, ".mask", refusal);
        }
    }

    private sealed record Entry(
        string Name,
        RgbImage Resized,
        RgbImage? Mask,
        string? Caption,
        (int Height, int Width) OriginalSize,
        string Sha256,
        string Fingerprint
    );
}
