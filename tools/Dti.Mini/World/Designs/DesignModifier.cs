using SkiaSharp;

namespace Dti.Mini.World.Designs;

/// <summary>What a caption changes about a named design: "a red zorp", "a striped zorp", "a glass zorp".</summary>
/// <param name="Colour">The body's colour instead of its own.</param>
/// <param name="Pattern">The body's pattern instead of its own.</param>
/// <param name="Material">What all of it is made of.</param>
internal sealed record DesignModifier(
    ObjectColour? Colour = null,
    Pattern? Pattern = null,
    Material Material = Material.None
)
{
    /// <summary>A random modifier that can be seen on a design.</summary>
    public static DesignModifier Sample(Dice dice, Design design)
    {
        switch (dice.Int(5))
        {
            case 0
            or 1
            or 2 when dice.Pick(ObjectColour.All) is var colour && Design.Distance(colour.Value, design.Main) > 0.3f:
                return new DesignModifier(Colour: colour);
            case 3 when dice.Pick<Pattern>() is var pattern && pattern != design.Pattern:
                return new DesignModifier(Pattern: pattern);
            default:
                return new DesignModifier(Material: (Material)(1 + dice.Int(Enum.GetValues<Material>().Length - 1)));
        }
    }

    /// <summary>The design as it is painted.</summary>
    public Design Apply(Design design) =>
        Material == Material.None
            ? design with
            {
                Main = Colour?.Value ?? design.Main,
                Pattern = Pattern ?? design.Pattern,
            }
            : design with
            {
                Main = Made(design.Main),
                Trim = Made(design.Trim),
                Second = Made(design.Second),
            };

    // A material has one hue; light parts stay lighter than dark ones.
    private SKColor Made(SKColor colour)
    {
        var light = ((0.3f * colour.Red) + (0.59f * colour.Green) + (0.11f * colour.Blue)) / 255;
        return Material switch
        {
            Material.Glass => SKColor.FromHsl(195, 55, 62 + (30 * light)).WithAlpha(190),
            Material.Golden => SKColor.FromHsl(44, 88, 30 + (45 * light)),
            Material.Wooden => SKColor.FromHsl(27, 48, 20 + (45 * light)),
            _ => SKColor.FromHsl(220, 6, 32 + (48 * light)),
        };
    }
}
