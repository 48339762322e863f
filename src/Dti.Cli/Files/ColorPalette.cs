using Dti.Engine.Imaging;

namespace Dti.Cli.Files;

/// <summary>A palette for images, by median cut (Heckbert 1982) over colours of 5 bits a channel.</summary>
internal sealed class ColorPalette
{
    private const int Bins = 1 << 15;
    private readonly short[] _nearest = new short[Bins];

    private ColorPalette(IReadOnlyList<(byte Red, byte Green, byte Blue)> colors)
    {
        Colors = colors;
        Array.Fill(_nearest, (short)-1);
    }

    /// <summary>Its colours.</summary>
    public IReadOnlyList<(byte Red, byte Green, byte Blue)> Colors { get; }

    /// <summary>Makes a palette.</summary>
    /// <param name="images">At least one.</param>
    /// <param name="size">The most colours.</param>
    public static ColorPalette Of(IReadOnlyList<RgbImage> images, int size)
    {
        var counts = new long[Bins];
        foreach (var image in images)
        {
            var pixels = image.Pixels.Span;
            for (var i = 0; i < pixels.Length; i += 3)
                counts[Bin(pixels[i], pixels[i + 1], pixels[i + 2])]++;
        }

        List<int[]> boxes =
        [
            [.. Enumerable.Range(0, Bins).Where(bin => counts[bin] > 0)],
        ];
        while (boxes.Count < size && Largest(boxes, counts) is { } box)
        {
            boxes.Remove(box);
            boxes.AddRange(Halves(box, counts));
        }

        return new ColorPalette([.. boxes.Select(box => Mean(box, counts))]);
    }

    /// <summary>The index of the nearest colour.</summary>
    public byte Nearest(int red, int green, int blue)
    {
        ref var known = ref _nearest[Bin(red, green, blue)];
        if (known >= 0)
            return (byte)known;
        var (best, least) = (0, int.MaxValue);
        for (var i = 0; i < Colors.Count; i++)
        {
            var (dr, dg, db) = (Colors[i].Red - red, Colors[i].Green - green, Colors[i].Blue - blue);
            if ((dr * dr) + (dg * dg) + (db * db) is var distance && distance < least)
                (best, least) = (i, distance);
        }

        known = (short)best;
        return (byte)best;
    }

    private static int Bin(int red, int green, int blue) => (red >> 3 << 10) | (green >> 3 << 5) | (blue >> 3);

    private static int Channel(int bin, int channel) => (bin >> (5 * channel)) & 31;

    /// <summary>The box of the widest spread, weighted by its pixels; null: every box is one colour.</summary>
    private static int[]? Largest(List<int[]> boxes, long[] counts) =>
        boxes
            .Where(box => box.Length > 1)
            .MaxBy(box => Spread(box, Widest(box)) * Math.Sqrt(box.Sum(bin => counts[bin])));

    private static int Widest(int[] box) => Enumerable.Range(0, 3).MaxBy(channel => Spread(box, channel));

    private static int Spread(int[] box, int channel) =>
        box.Max(bin => Channel(bin, channel)) - box.Min(bin => Channel(bin, channel));

    private static IEnumerable<int[]> Halves(int[] box, long[] counts)
    {
        var channel = Widest(box);
        int[] ordered = [.. box.OrderBy(bin => Channel(bin, channel)).ThenBy(bin => bin)];
        var (half, sum, cut) = (ordered.Sum(bin => counts[bin]) / 2, 0L, 0);
        while (cut < ordered.Length - 1 && (cut == 0 || sum < half))
            sum += counts[ordered[cut++]];
        return [ordered[..cut], ordered[cut..]];
    }

    private static (byte Red, byte Green, byte Blue) Mean(int[] box, long[] counts)
    {
        var total = box.Sum(bin => counts[bin]);
        return (Of(2), Of(1), Of(0));

        byte Of(int channel) =>
            (byte)
                Math.Min(255, (box.Sum(bin => counts[bin] * ((8 * Channel(bin, channel)) + 4)) + (total / 2)) / total);
    }
}
