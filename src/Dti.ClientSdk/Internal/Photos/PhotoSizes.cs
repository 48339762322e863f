using Grpc.Core;

namespace Dti.ClientSdk.Internal.Photos;

/// <summary>
/// Photos that do not fit into one request together are reduced before they are sent: to a shorter side of 2048 pixels,
/// which is the highest resolution of a training, and from there towards the resolution of this one, until each has its
/// share.
/// </summary>
internal sealed class PhotoSizes
{
    /// <summary>The code of the warning that says what was reduced.</summary>
    public const string Reduced = "PHOTOS_REDUCED";

    private const int HighestResolution = 2048;
    private const int UsualResolution = 1024;
    private const int LowestResolution = 64;

    private readonly long _share;
    private readonly int _count;
    private readonly int _needed;
    private readonly long _limit;
    private readonly List<string> _reduced = [];

    /// <summary>Divides a request among its photos.</summary>
    /// <param name="sizes">Bytes of each photo with its mask.</param>
    /// <param name="resolution">Of the training; null: the model's own, at most 1024.</param>
    /// <param name="limit">Bytes of all photos and masks.</param>
    public PhotoSizes(IReadOnlyCollection<long> sizes, int? resolution, long limit = PhotoShares.Limit) =>
        (_share, _count, _needed, _limit) = (
            PhotoShares.Of(sizes, limit),
            sizes.Count,
            Math.Clamp(resolution ?? UsualResolution, LowestResolution, HighestResolution),
            limit
        );

    /// <summary>What was reduced so far, in one sentence; null: nothing.</summary>
    public string? Report =>
        _reduced.Count switch
        {
            0 => null,
            var count =>
                $"{count} photo(s) were reduced before sending, so that all {_count} fit into one request of {Mebibytes(_limit)}: "
                    + $"{string.Join(", ", _reduced.Take(5))}{(count > 5 ? ", …" : "")}.",
        };

    /// <summary>The photo, or a smaller one that shows the same.</summary>
    /// <exception cref="DtiClientException">It has more than its share and cannot be reduced.</exception>
    public Photo Fit(Photo photo)
    {
        if (Bytes(photo) <= _share)
            return photo;

        using var reduction = PhotoReduction.Open(photo, out var failure);
        foreach (var (side, quality) in Steps())
        {
            if (reduction?.To(side, quality) is { } smaller && Bytes(smaller) <= _share)
            {
                _reduced.Add($"'{photo.FileName}' to a shorter side of at most {side} pixels");
                return smaller;
            }
        }

        var sentence =
            $"Photo '{photo.FileName}' has {Mebibytes(Bytes(photo))}{(photo.Mask.IsEmpty ? "" : " with its mask")}. All {_count} photo(s) have to fit into one "
            + $"request of {Mebibytes(_limit)}, which leaves {Mebibytes(_share)} for this one. It could not be reduced: "
            + $"{failure ?? "it is too large even at the resolution of the training"}. "
            + $"Send fewer photos, or save it as JPEG with a shorter side of {_needed} pixels.";
        throw new DtiClientException(StatusCode.InvalidArgument, sentence)
        {
            FieldViolations = [new FieldViolation("photos", sentence)],
        };
    }

    /// <summary>Bytes of a photo and its mask.</summary>
    public static long Bytes(Photo photo) => (long)photo.Data.Length + photo.Mask.Length;

    private IEnumerable<(int Side, int Quality)> Steps() =>
        [(HighestResolution, 95), ((HighestResolution + _needed) / 2, 95), (_needed, 95), (_needed, 85), (_needed, 70)];

    private static string Mebibytes(long bytes) => FormattableString.Invariant($"{bytes / (double)(1 << 20):0.##} MiB");
}
