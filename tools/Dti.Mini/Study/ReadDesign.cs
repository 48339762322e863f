using Dti.Mini.World;
using Dti.Mini.World.Designs;
using SkiaSharp;

namespace Dti.Mini.Study;

/// <summary>A design as the judge reads it in an image.</summary>
/// <param name="Parts">The discrete parts, in the order of <see cref="DesignParameters.Choices"/>.</param>
/// <param name="Colours">Main, trim and second colour: nine channels, each −1 to 1.</param>
/// <param name="Proportions">As in <see cref="DesignParameters.ProportionsOf"/>.</param>
/// <param name="Material">What it is made of.</param>
internal sealed record ReadDesign(int[] Parts, float[] Colours, float[] Proportions, Material Material)
{
    /// <summary>The colour of the body.</summary>
    public SKColor Main => new(Channel(0), Channel(1), Channel(2));

    /// <summary>The pattern of the body.</summary>
    public Pattern Pattern => (Pattern)Parts[^1];

    /// <summary>The share of the discrete parts that are those of a design.</summary>
    public double PartsRight(Design design) =>
        Parts.Zip(DesignParameters.Parts(design)).Average(part => part.First == part.Second ? 1.0 : 0);

    /// <summary>The mean distance from the colours of a design that can be seen (RGB in [0, 1]³).</summary>
    public double ColourError(Design design)
    {
        var asked = DesignParameters.ColoursOf(design);
        return DesignParameters
            .ColoursSeen(design)
            .Index()
            .Where(colour => colour.Item)
            .Average(colour =>
                Math.Sqrt(Enumerable.Range(3 * colour.Index, 3).Sum(i => Math.Pow((Colours[i] - asked[i]) / 2, 2)))
            );
    }

    /// <summary>The share of the discrete parts that are those of one of two designs.</summary>
    public double PartsOfEither(Design one, Design other) =>
        Parts
            .Zip(DesignParameters.Parts(one), DesignParameters.Parts(other))
            .Average(part => part.First == part.Second || part.First == part.Third ? 1.0 : 0);

    /// <summary>
    /// How far the colours of body and trim are on the way from one reading to another: 0 there, 1 here; the
    /// projection on the straight line between them.
    /// </summary>
    public double Progress(ReadDesign from, ReadDesign to)
    {
        const int Seen = 6; // channels of both colours
        var way = Enumerable.Range(0, Seen).Select(i => to.Colours[i] - from.Colours[i]).ToArray();
        var length = way.Sum(step => step * step);
        return length < 1e-6f
            ? 0
            : Enumerable.Range(0, Seen).Sum(i => (Colours[i] - from.Colours[i]) * way[i]) / length;
    }

    /// <summary>The mean distance from the proportions of a design, in units of half of their range.</summary>
    public double ProportionError(Design design) =>
        Proportions.Zip(DesignParameters.ProportionsOf(design)).Average(pair => Math.Abs(pair.First - pair.Second));

    private byte Channel(int index) => (byte)Math.Clamp((Colours[index] + 1) * 127.5f, 0, 255);
}
