using SkiaSharp;

namespace Dti.Mini.World.Designs;

/// <summary>
/// A thing that one word cannot describe: a family, six discrete parts, three free colours and three proportions. Named
/// designs are words of the vocabulary, held-out ones are learnt as concepts.
/// </summary>
/// <param name="Family">What it is a kind of.</param>
/// <param name="Body">The outline of its body.</param>
/// <param name="Top">What stands on it.</param>
/// <param name="Eyes">Its eyes.</param>
/// <param name="Sides">What it has at its sides.</param>
/// <param name="Mark">The mark on its body.</param>
/// <param name="Pattern">What covers its body.</param>
/// <param name="Main">The colour of the body.</param>
/// <param name="Trim">The colour of top, sides and base.</param>
/// <param name="Second">The colour of mark and pattern.</param>
/// <param name="Width">Of the body, relative to its shape's: 0.85 to 1.12.</param>
/// <param name="TopSize">Relative size of the top: 0.8 to 1.25.</param>
/// <param name="EyeSize">Relative size of the eyes: 0.8 to 1.25.</param>
internal sealed record Design(
    DesignFamily Family,
    BodyShape Body,
    Top Top,
    Eyes Eyes,
    Sides Sides,
    Mark Mark,
    Pattern Pattern,
    SKColor Main,
    SKColor Trim,
    SKColor Second,
    float Width,
    float TopSize,
    float EyeSize
)
{
    /// <summary>
    /// The least distance between two of a design's colours: the sides of the RGB cube have length 1.
    /// </summary>
    private const float LeastContrast = 0.42f;

    /// <summary>Seed of the scenes with designs to learn from.</summary>
    public const ulong TrainScenes = 2;

    /// <summary>Seed of the scenes with designs that nothing learns from.</summary>
    public const ulong HeldOutScenes = 2_000;

    private const ulong NamedSeed = 40_000;
    private const ulong HeldOutSeed = 50_000;
    private const ulong PhotographedSeed = 60_000;

    /// <summary>The design of a word of the vocabulary: the same on every machine.</summary>
    public static Design Named(int index) => Sample(new Dice(NamedSeed, (ulong)index));

    /// <summary>The word for its family in captions, from which the training of its concept starts.</summary>
    public string Word => WordOf(Family);

    /// <summary>The word for a family.</summary>
    public static string WordOf(DesignFamily family) => family.ToString().ToLowerInvariant();

    /// <summary>How many held-out designs there are.</summary>
    public const int HeldOutCount = 40;

    /// <summary>How many of them, from the first, are shown to users; the others are only for the studies.</summary>
    public const int Shown = 12;

    /// <summary>A design that neither names nor scenes hold.</summary>
    public static Design HeldOut(int index) => Sample(new Dice(HeldOutSeed, (ulong)index));

    /// <summary>A design of the photos that the photo encoder learns from.</summary>
    public static Design Photographed(int index) => Sample(new Dice(PhotographedSeed, (ulong)index));

    /// <summary>A random design.</summary>
    public static Design Sample(Dice dice)
    {
        var main = Colour(dice);
        var trim = Other(dice, main);
        return new Design(
            dice.Pick<DesignFamily>(),
            dice.Pick<BodyShape>(),
            dice.Pick<Top>(),
            dice.Pick<Eyes>(),
            dice.Pick<Sides>(),
            dice.Pick<Mark>(),
            dice.Pick<Pattern>(),
            main,
            trim,
            Other(dice, main, trim),
            dice.Range(0.85f, 1.12f),
            dice.Range(0.8f, 1.25f),
            dice.Range(0.8f, 1.25f)
        );
    }

    /// <summary>How far two colours are apart: 0 to √3.</summary>
    public static float Distance(SKColor a, SKColor b)
    {
        var (red, green, blue) = (a.Red - b.Red, a.Green - b.Green, a.Blue - b.Blue);
        return MathF.Sqrt((red * red) + (green * green) + (blue * blue)) / 255;
    }

    private static SKColor Other(Dice dice, params SKColor[] others)
    {
        for (var i = 0; ; i++)
        {
            var colour = Colour(dice);
            if (i == 50 || others.All(other => Distance(colour, other) >= LeastContrast))
            {
                return colour;
            }
        }
    }

    // Any hue, from pastel to deep; one in eight is a shade of grey.
    private static SKColor Colour(Dice dice) =>
        dice.Chance(0.125f)
            ? SKColor.FromHsl(dice.Range(0, 360), dice.Range(0, 12), dice.Range(15, 95))
            : SKColor.FromHsl(dice.Range(0, 360), dice.Range(45, 92), dice.Range(28, 78));
}
