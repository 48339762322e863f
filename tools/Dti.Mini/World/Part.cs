using SkiaSharp;

namespace Dti.Mini.World;

/// <summary>
/// What a part is painted with: the colour that the caption names, a shade of it, or a colour of its own.
/// </summary>
/// <param name="Role">Where the colour comes from.</param>
/// <param name="Colour">The colour, if it is the part's own.</param>
internal readonly record struct Ink(InkRole Role, SKColor Colour = default)
{
    /// <summary>The object's colour, with its pattern.</summary>
    public static Ink Body => new(InkRole.Body);

    /// <summary>A darker shade of the object's colour, without a pattern: handles, spouts, ears, hems.</summary>
    public static Ink Trim => new(InkRole.Trim);

    /// <summary>A lighter tint of the object's colour, without a pattern: bellies, rims, highlights.</summary>
    public static Ink Tint => new(InkRole.Tint);

    public static Ink Dark => Of(0x2B, 0x27, 0x30);

    public static Ink Light => Of(0xFB, 0xF8, 0xF1);

    public static Ink Wood => Of(0x8A, 0x5A, 0x38);

    public static Ink Leaf => Of(0x4B, 0x8F, 0x45);

    public static Ink Metal => Of(0x9A, 0xA3, 0xAE);

    public static Ink Glass => Of(0xBF, 0xE4, 0xF0);

    /// <summary>A colour of its own.</summary>
    public static Ink Of(byte red, byte green, byte blue) => new(InkRole.Own, new SKColor(red, green, blue));
}

internal enum InkRole
{
    Body,
    Trim,
    Tint,
    Own,
}

/// <summary>
/// One painted piece of an object, in the object's box: x from −1 to 1, y from −1 (top) to 1 (what it stands on).
/// </summary>
/// <param name="Path">The outline.</param>
/// <param name="Ink">What it is painted with.</param>
/// <param name="Line">0: filled; else drawn as a line of this width, in units of the box.</param>
internal sealed record Part(SKPath Path, Ink Ink, float Line = 0);

/// <summary>A thing that can be drawn: its name in captions and its parts, back to front.</summary>
/// <param name="Name">The word of captions: <c>mug</c>.</param>
/// <param name="Parts">The parts, back to front, within the box.</param>
internal sealed record Shape(string Name, IReadOnlyList<Part> Parts);
