using SkiaSharp;

namespace Dti.Mini.World;

/// <summary>A colour of objects.</summary>
/// <param name="Name">The word of captions.</param>
/// <param name="Value">As painted in full light.</param>
/// <param name="Second">The other colour of its patterns.</param>
internal sealed record ObjectColour(string Name, SKColor Value, SKColor Second)
{
    private static readonly SKColor _cream = new(0xFA, 0xF3, 0xE3);

    public static IReadOnlyList<ObjectColour> All { get; } =
    [
        new("red", new(0xD6, 0x2F, 0x2F), _cream),
        new("orange", new(0xF2, 0x8A, 0x1E), _cream),
        new("yellow", new(0xF6, 0xD2, 0x2E), new(0x8C, 0x5A, 0x1C)),
        new("green", new(0x35, 0x9B, 0x45), _cream),
        new("blue", new(0x2A, 0x66, 0xCC), _cream),
        new("purple", new(0x82, 0x3F, 0xB0), _cream),
        new("pink", new(0xF4, 0x8D, 0xB8), new(0xFF, 0xFB, 0xF5)),
        new("brown", new(0x75, 0x46, 0x28), new(0xE8, 0xCF, 0xA8)),
        new("white", new(0xF6, 0xF4, 0xEF), new(0x7D, 0x88, 0xA0)),
        new("black", new(0x2A, 0x28, 0x30), _cream),
    ];

    private static readonly Dictionary<string, int> _index = All.Select((colour, i) => (colour.Name, i))
        .ToDictionary(pair => pair.Name, pair => pair.i, StringComparer.Ordinal);

    /// <summary>More colours, which only designs are described by; their patterns have a colour of their own.</summary>
    private static readonly ObjectColour[] _more =
    [
        new("teal", new(0x1F, 0x8A, 0x8C), _cream),
        new("gray", new(0x8A, 0x90, 0x98), _cream),
        new("navy", new(0x1E, 0x2C, 0x66), _cream),
        new("lime", new(0xA8, 0xD8, 0x3A), _cream),
        new("coral", new(0xF0, 0x78, 0x60), _cream),
        new("lavender", new(0xB8, 0xA0, 0xE6), _cream),
        new("mint", new(0x96, 0xE0, 0xBC), _cream),
        new("maroon", new(0x7A, 0x1C, 0x2E), _cream),
        new("tan", new(0xD2, 0xB0, 0x80), _cream),
        new("turquoise", new(0x3C, 0xC8, 0xD0), _cream),
        new("magenta", new(0xD0, 0x30, 0xA0), _cream),
    ];

    /// <summary>All colour words of descriptions.</summary>
    public static IReadOnlyList<ObjectColour> Described { get; } = [.. All, .. _more];

    /// <summary>The place of a colour in <see cref="All"/>.</summary>
    public static int IndexOf(ObjectColour colour) => _index[colour.Name];

    /// <summary>The colour whose word describes a free colour best.</summary>
    public static ObjectColour Nearest(SKColor colour) =>
        Described.MinBy(named => Designs.Design.Distance(named.Value, colour))!;
}

/// <summary>What covers an object's body.</summary>
internal enum Pattern
{
    Plain,
    Striped,
    Spotted,
    Checked,
}

/// <summary>How a scene is rendered.</summary>
internal enum Style
{
    Photo,
    Flat,
    Ink,
    Watercolor,
    Pixel,
    Pencil,
    Neon,
}

/// <summary>The light of a scene.</summary>
internal enum Lighting
{
    Day,
    Evening,
    Dusk,
    Fog,
}

/// <summary>Where a scene takes place.</summary>
internal enum Place
{
    Snow,
    Desert,
    Beach,
    Meadow,
    Forest,
    Mountains,
    City,
    NightSea,
    Kitchen,
    Library,
    Underwater,
    Space,
}

/// <summary>How the second object of a scene stands to the first.</summary>
internal enum Relation
{
    LeftOf,
    RightOf,
    On,
    Behind,
    InFrontOf,
}

internal enum ObjectSize
{
    Small,
    Medium,
    Large,
}
