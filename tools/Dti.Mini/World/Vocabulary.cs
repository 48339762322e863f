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

    private static readonly Dictionary<string, int> _index = All.Select((colour, i) => (colour.Name, i)).ToDictionary(pair => pair.Name, pair => pair.i, StringComparer.Ordinal);

    /// <summary>The place of a colour in <see cref="All"/>.</summary>
    public static int IndexOf(ObjectColour colour) => _index[colour.Name];
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
