using System.Globalization;
using Dti.ClientSdk;
using Dti.Engine;
using Dti.Engine.Imaging;

namespace Dti.Cli.Files;

/// <summary>Photos that do not fit into one request together are reduced before they are sent.</summary>
internal static class PhotoSizes
{
    /// <summary>Bytes that a server takes at once by default, with room for what is not photos.</summary>
    public const long Limit = 63L * 1024 * 1024;

    private const int Largest = 2048; // the highest resolution of a training

    /// <summary>The photos, or smaller ones in place of the largest.</summary>
    /// <param name="photos">The photos.</param>
    /// <param name="resolution">Of the training; null: the model's own, at most 1024.</param>
    /// <param name="warn">Takes a line that says what was reduced.</param>
    /// <param name="limit">Bytes that they may have together.</param>
    /// <exception cref="CliException">They do not fit, reduced or not.</exception>
    public static IReadOnlyList<Photo> Fit(
        IReadOnlyList<Photo> photos, int? resolution, Action<string> warn, long limit = Limit)
    {
        var fitting = photos.ToArray();
        var reduced = new HashSet<int>();
        var needed = Math.Clamp(resolution ?? 1024, 1, Largest);
        foreach (var side in new[] { Largest, (Largest + needed) / 2, needed }.Distinct())
        {
            var largestFirst = Enumerable.Range(0, fitting.Length)
                .OrderByDescending(index => fitting[index].Data.Length).ToArray();
            foreach (var index in largestFirst.TakeWhile(_ => Bytes(fitting) > limit))
            {
                if (fitting[index].Mask.IsEmpty && Smaller(photos[index], side) is { } data
                    && data.Length < fitting[index].Data.Length)
                {
                    fitting[index] = fitting[index] with { Data = data };
                    reduced.Add(index);
                }
            }

            if (Bytes(fitting) <= limit)
            {
                Tell(reduced.Count, side, warn);
                return fitting;
            }
        }

        var largest = fitting.MaxBy(photo => photo.Data.Length + photo.Mask.Length)!;
        throw new CliException(ExitCode.Usage, string.Create(
            CultureInfo.InvariantCulture,
            $"The {fitting.Length} photos have {Mebibytes(Bytes(fitting))} together, and a request holds {Mebibytes(limit)}. "
            + $"The largest is '{largest.FileName}' ({Mebibytes(largest.Data.Length + largest.Mask.Length)}). "
            + $"Send fewer, or save them smaller: JPEG of {needed} pixels on the shorter side is enough."));
    }

    private static void Tell(int count, int side, Action<string> warn)
    {
        if (count > 0)
        {
            warn(
                $"{count} photo(s) are sent as JPEG with a shorter side of at most {side} pixels, "
                + "so that all fit into one request.");
        }
    }

    private static byte[]? Smaller(Photo photo, int side)
    {
        try
        {
            return PhotoReduction.ToJpeg(photo.Data.Span, photo.FileName, side);
        }
        catch (DtiException)
        {
            return null; // the server says what is wrong with it
        }
    }

    private static long Bytes(IEnumerable<Photo> photos) =>
        photos.Sum(photo => (long)photo.Data.Length + photo.Mask.Length);

    private static string Mebibytes(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.#} MiB");
}
