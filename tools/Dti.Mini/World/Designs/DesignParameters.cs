using SkiaSharp;

namespace Dti.Mini.World.Designs;

/// <summary>The numbers of a design, as networks take and predict them.</summary>
internal static class DesignParameters
{
    /// <summary>Choices of the discrete parts, in order: family, body, top, eyes, sides, mark, pattern.</summary>
    public static IReadOnlyList<int> Choices { get; } =
    [
        Enum.GetValues<DesignFamily>().Length,
        Enum.GetValues<BodyShape>().Length,
        Enum.GetValues<Top>().Length,
        Enum.GetValues<Eyes>().Length,
        Enum.GetValues<Sides>().Length,
        Enum.GetValues<Mark>().Length,
        Enum.GetValues<Pattern>().Length,
    ];

    /// <summary>Three colours of three channels.</summary>
    public const int Colours = 9;

    /// <summary>Width, size of the top, size of the eyes.</summary>
    public const int Proportions = 3;

    /// <summary>Length of <see cref="Of"/>.</summary>
    public static int Count { get; } = Choices.Sum() + Colours + Proportions;

    /// <summary>The discrete parts, in the order of <see cref="Choices"/>.</summary>
    public static int[] Parts(Design design) =>
        [
            (int)design.Family,
            (int)design.Body,
            (int)design.Top,
            (int)design.Eyes,
            (int)design.Sides,
            (int)design.Mark,
            (int)design.Pattern,
        ];

    /// <summary>Main, trim and second colour, each channel −1 to 1.</summary>
    public static float[] ColoursOf(Design design) =>
        [.. Channels(design.Main), .. Channels(design.Trim), .. Channels(design.Second)];

    /// <summary>Which of the three colours can be seen: the second one is that of mark and pattern.</summary>
    public static bool[] ColoursSeen(Design design) =>
        [true, true, design.Mark != Mark.Blank || design.Pattern != Pattern.Plain];

    /// <summary>The proportions, each −1 to 1.</summary>
    public static float[] ProportionsOf(Design design) =>
        [Scaled(design.Width, 0.85f, 1.12f), Scaled(design.TopSize, 0.8f, 1.25f), Scaled(design.EyeSize, 0.8f, 1.25f)];

    /// <summary>All of it: the parts one-hot, then colours and proportions.</summary>
    public static float[] Of(Design design)
    {
        var numbers = new float[Count];
        var at = 0;
        foreach (var (choice, of) in Parts(design).Zip(Choices))
        {
            numbers[at + choice] = 1;
            at += of;
        }

        ColoursOf(design).CopyTo(numbers, at);
        ProportionsOf(design).CopyTo(numbers, at + Colours);
        return numbers;
    }

    /// <summary>A colour, each channel −1 to 1.</summary>
    public static float[] Channels(SKColor colour) =>
        [(colour.Red / 127.5f) - 1, (colour.Green / 127.5f) - 1, (colour.Blue / 127.5f) - 1];

    private static float Scaled(float value, float from, float to) => (2 * (value - from) / (to - from)) - 1;
}
