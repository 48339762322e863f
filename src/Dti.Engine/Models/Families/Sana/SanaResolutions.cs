namespace Dti.Engine.Models.Families.Sana;

/// <summary>
/// The image sizes that SANA was trained with: its pipeline generates the nearest one by the ratio of the sides, and
/// resizes the result (diffusers' <c>use_resolution_binning</c>; the tables ASPECT_RATIO_512_BIN to
/// ASPECT_RATIO_4096_BIN).
/// </summary>
internal static class SanaResolutions
{
    private const int Unit = 16; // of a side, in sixteenths of the resolution

    // Height and width in units, by growing ratio.
    private static readonly (int Height, int Width)[] _common =
    [
        (8, 32),
        (8, 29),
        (9, 28),
        (9, 27),
        (9, 26),
        (10, 25),
        (10, 24),
        (11, 23),
        (11, 22),
        (11, 21),
        (12, 21),
        (12, 20),
        (13, 19),
        (13, 18),
        (14, 18),
        (14, 17),
        (15, 17),
        (15, 16),
        (16, 16),
        (16, 15),
        (17, 15),
        (17, 14),
        (18, 14),
        (18, 13),
        (19, 13),
        (20, 12),
        (21, 12),
        (22, 11),
        (23, 11),
        (24, 10),
        (25, 10),
        (27, 9),
        (32, 8),
    ];

    // Further ones of 2048 pixels and more.
    private static readonly (int Height, int Width)[] _large =
    [
        (8, 31),
        (8, 30),
        (26, 9),
        (28, 9),
        (29, 8),
        (30, 8),
        (31, 8),
    ];

    /// <summary>The nearest size; null: there is no table for the resolution.</summary>
    /// <param name="resolution">That the model was made for.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public static (int Width, int Height)? Nearest(int resolution, int width, int height)
    {
        var sizes = resolution switch
        {
            512 or 1024 => _common,
            2048 or 4096 => [.. _common, .. _large],
            _ => [],
        };
        var asked = (double)height / width;
        return sizes
            .Select(size => (size.Height, size.Width, Ratio: Math.Round((double)size.Height / size.Width, 2)))
            .OrderBy(size => size.Ratio)
            .Select(size => (size, Distance: Math.Abs(size.Ratio - asked)))
            .OrderBy(found => found.Distance) // stable: of two, the smaller ratio
            .Select(found => ((int, int)?)(found.size.Width * resolution / Unit, found.size.Height * resolution / Unit))
            .FirstOrDefault();
    }
}
