using SkiaSharp;
using static Dti.Mini.World.Paths;

namespace Dti.Mini.World.Designs;

/// <summary>
/// Draws designs. All families share tops, eyes, sides and marks, which sit at the anchors of a body; a family adds
/// what stands under the body and what is particular to its face.
/// </summary>
internal static class DesignShape
{
    private const float Bottom = 0.86f;

    /// <summary>The parts of a design, back to front, in the object's box.</summary>
    public static Shape Of(Design design)
    {
        var frame = BodyFrame.Of(design);
        var trim = Plain(design.Trim);
        return new Shape(
            design.Word,
            [
                .. Behind(design, frame, trim),
                .. TopOf(design, frame, trim),
                new Part(frame.Outline, Ink.Body),
                .. InFront(design, frame, trim),
                .. MarkOf(design, frame),
                .. EyesOf(design, frame, trim),
            ]
        );
    }

    /// <summary>
    /// A design's colours as the painters take them: the pattern alternates the main and the second colour.
    /// </summary>
    public static ObjectColour ColourOf(Design design) =>
        new(ObjectColour.Nearest(design.Main).Name, design.Main, design.Second);

    private static IEnumerable<Part> Behind(Design design, BodyFrame frame, Ink trim)
    {
        var (w, middle) = (frame.HalfWidth, frame.Middle);
        foreach (var part in Pair(SidesOf(design, w, middle), trim))
        {
            yield return part;
        }

        switch (design.Family)
        {
            case DesignFamily.Creature:
                yield return new Part(Oval(-0.28f, 0.88f, 0.22f, 0.11f), trim);
                yield return new Part(Oval(0.28f, 0.88f, 0.22f, 0.11f), trim);
                break;
            case DesignFamily.Bird:
                yield return new Part(Svg("M-0.2 0.8 L-0.2 0.95 M0.2 0.8 L0.2 0.95"), Orange, 0.12f);
                yield return new Part(Polygon(w * 0.5f, 0.7f, w + 0.38f, 0.42f, w + 0.3f, 0.82f), trim);
                break;
            case DesignFamily.Jug:
                yield return new Part(
                    Polygon(-w * 0.7f, 0.3f, -w - 0.32f, -0.28f, -w - 0.08f, -0.38f, -w * 0.6f, -0.05f),
                    trim
                );
                break;
            case DesignFamily.Robot:
                yield return new Part(Box(-0.42f, 0.72f, -0.1f, 0.98f, 0.05f), Ink.Metal);
                yield return new Part(Box(0.1f, 0.72f, 0.42f, 0.98f, 0.05f), Ink.Metal);
                break;
            case DesignFamily.Castle:
                yield return new Part(Tower(-w - 0.08f), trim);
                yield return new Part(Tower(w + 0.08f), trim);
                break;
            case DesignFamily.Truck:
                yield return new Part(Box(-w - 0.14f, 0.58f, w + 0.14f, 0.84f, 0.08f), trim);
                break;
        }
    }

    private static IEnumerable<Part> InFront(Design design, BodyFrame frame, Ink trim)
    {
        var (w, face) = (frame.HalfWidth, frame.Face);
        switch (design.Family)
        {
            case DesignFamily.Creature:
                yield return new Part(
                    Svg(FormattableString.Invariant($"M-0.14 {face + 0.26f} Q0 {face + 0.38f} 0.14 {face + 0.26f}")),
                    Ink.Dark,
                    0.05f
                );
                break;
            case DesignFamily.Bird:
                yield return new Part(Polygon(-0.15f, face + 0.14f, 0.15f, face + 0.14f, 0, face + 0.42f), Orange);
                break;
            case DesignFamily.Jug:
                yield return new Part(Box(-0.42f, 0.84f, 0.42f, 0.97f, 0.05f), trim);
                break;
            case DesignFamily.Robot:
                yield return new Part(Box(-0.2f, face + 0.24f, 0.2f, face + 0.36f, 0.02f), Ink.Metal);
                break;
            case DesignFamily.Castle:
                yield return new Part(Box(-w - 0.2f, 0.84f, w + 0.2f, 0.97f, 0.02f), Ink.Of(0x8B, 0x86, 0x80));
                break;
            case DesignFamily.Truck:
                foreach (var x in (float[])[-w * 0.72f, w * 0.72f])
                {
                    yield return new Part(Circle(x, 0.78f, 0.2f), Ink.Dark);
                    yield return new Part(Circle(x, 0.78f, 0.09f), Ink.Metal);
                }

                break;
        }
    }

    private static (SKPath Path, float Line) SidesOf(Design design, float w, float y) =>
        design.Sides switch
        {
            Sides.Wings => (
                Polygon(
                    w * 0.8f,
                    y + 0.12f,
                    w + 0.42f,
                    y - 0.42f,
                    w + 0.4f,
                    y - 0.08f,
                    w + 0.26f,
                    y + 0.02f,
                    w + 0.24f,
                    y + 0.26f
                ),
                0
            ),
            Sides.Arms => (
                Svg(
                    FormattableString.Invariant(
                        $"M{w * 0.8f} {y + 0.08f} Q{w + 0.3f} {y + 0.05f} {w + 0.28f} {y + 0.42f}"
                    )
                ),
                0.16f
            ),
            Sides.Rings => (Circle(w + 0.06f, y + 0.05f, 0.24f), 0.13f),
            _ => (new SKPath(), 0),
        };

    private static IEnumerable<Part> TopOf(Design design, BodyFrame frame, Ink trim)
    {
        var (s, y) = (design.TopSize, frame.Top + 0.1f);
        switch (design.Top)
        {
            case Top.Crown:
                yield return new Part(
                    Polygon(
                        -0.4f * s,
                        y,
                        -0.46f * s,
                        y - (0.42f * s),
                        -0.2f * s,
                        y - (0.22f * s),
                        0,
                        y - (0.48f * s),
                        0.2f * s,
                        y - (0.22f * s),
                        0.46f * s,
                        y - (0.42f * s),
                        0.4f * s,
                        y
                    ),
                    trim
                );
                break;
            case Top.Horns:
                var horn = Polygon(0.12f * s, y, 0.42f * s, y + 0.06f, 0.5f * s, y - (0.5f * s));
                yield return new Part(horn, trim);
                yield return new Part(horn.Mirrored(), trim);
                break;
            case Top.Antenna:
                yield return new Part(
                    Polygon(-0.06f, y, 0.06f, y, 0.04f, y - (0.4f * s), -0.04f, y - (0.4f * s)),
                    Ink.Metal
                );
                yield return new Part(Circle(0, y - (0.4f * s), 0.16f * s), trim);
                break;
            case Top.Ears:
                var ear = Oval(0.26f * s, y - (0.2f * s), 0.13f * s, 0.36f * s);
                yield return new Part(ear, trim);
                yield return new Part(ear.Mirrored(), trim);
                break;
            case Top.Hat:
                yield return new Part(Box(-0.3f * s, y - (0.46f * s), 0.3f * s, y, 0.05f), trim);
                yield return new Part(Box(-0.52f * s, y - (0.1f * s), 0.52f * s, y + (0.04f * s), 0.05f), trim);
                break;
            default:
                var leaf = Svg("M0 0 C0.05 -0.35 0.4 -0.45 0.55 -0.35 C0.5 -0.1 0.25 0.02 0 0Z").Moved(0, y, s);
                yield return new Part(leaf, trim);
                yield return new Part(leaf.Mirrored(), trim);
                break;
        }
    }

    private static IEnumerable<Part> EyesOf(Design design, BodyFrame frame, Ink trim)
    {
        var (s, y) = (design.EyeSize, frame.Face);
        switch (design.Eyes)
        {
            case Eyes.One:
                yield return new Part(Circle(0, y, 0.25f * s), Ink.Light);
                yield return new Part(Circle(0, y, 0.13f * s), Ink.Dark);
                break;
            case Eyes.Two:
                foreach (var x in (float[])[-0.22f, 0.22f])
                {
                    yield return new Part(Circle(x, y, 0.18f * s), Ink.Light);
                    yield return new Part(Circle(x, y, 0.09f * s), Ink.Dark);
                }

                break;
            case Eyes.Sleepy:
                foreach (var x in (float[])[-0.22f, 0.22f])
                {
                    yield return new Part(
                        Svg(
                            FormattableString.Invariant(
                                $"M{x - (0.15f * s)} {y} Q{x} {y + (0.18f * s)} {x + (0.15f * s)} {y}"
                            )
                        ),
                        Ink.Dark,
                        0.075f
                    );
                }

                break;
            default:
                yield return new Part(
                    Box(-0.46f * s, y - (0.16f * s), 0.46f * s, y + (0.14f * s), 0.13f * s),
                    Ink.Dark
                );
                yield return new Part(
                    Box(-0.38f * s, y - (0.1f * s), -0.08f * s, y + (0.08f * s), 0.07f * s),
                    Ink.Glass
                );
                yield return new Part(Box(0.08f * s, y - (0.1f * s), 0.38f * s, y + (0.08f * s), 0.07f * s), Ink.Glass);
                break;
        }
    }

    private static IEnumerable<Part> MarkOf(Design design, BodyFrame frame)
    {
        var second = Plain(design.Second);
        var y = frame.MarkAt;
        switch (design.Mark)
        {
            case Mark.Belly:
                yield return new Part(Oval(0, y, frame.HalfWidth * 0.62f, 0.27f), second);
                break;
            case Mark.Heart:
                yield return new Part(
                    Svg(
                            "M0 0.9 C-0.5 0.5 -0.95 0.15 -0.95 -0.35 C-0.95 -0.98 -0.2 -1 0 -0.5 C0.2 -1 0.95 -0.98 0.95 -0.35 C0.95 0.15 0.5 0.5 0 0.9Z"
                        )
                        .Moved(0, y, 0.27f),
                    second
                );
                break;
            case Mark.Star:
                yield return new Part(
                    Svg(
                            "M0 -1 L0.28 -0.34 L1 -0.28 L0.45 0.2 L0.62 0.9 L0 0.52 L-0.62 0.9 L-0.45 0.2 L-1 -0.28 L-0.28 -0.34Z"
                        )
                        .Moved(0, y, 0.3f),
                    second
                );
                break;
        }
    }

    private static IEnumerable<Part> Pair((SKPath Path, float Line) right, Ink ink) =>
        right.Path.IsEmpty
            ? []
            : [new Part(right.Path, ink, right.Line), new Part(right.Path.Mirrored(), ink, right.Line)];

    private static SKPath Tower(float x) =>
        Polygon(
            x - 0.2f,
            Bottom,
            x - 0.2f,
            -0.02f,
            x - 0.26f,
            -0.02f,
            x - 0.26f,
            -0.2f,
            x - 0.1f,
            -0.2f,
            x - 0.1f,
            -0.1f,
            x + 0.1f,
            -0.1f,
            x + 0.1f,
            -0.2f,
            x + 0.26f,
            -0.2f,
            x + 0.26f,
            -0.02f,
            x + 0.2f,
            -0.02f,
            x + 0.2f,
            Bottom
        );

    private static Ink Plain(SKColor colour) => new(InkRole.Own, colour);

    private static Ink Orange => Ink.Of(0xF2, 0x93, 0x24);
}

/// <summary>A body and where things are attached to it.</summary>
/// <param name="Outline">Of the body.</param>
/// <param name="HalfWidth">At its middle.</param>
/// <param name="Top">Its upper end.</param>
/// <param name="Middle">Where sides are attached.</param>
/// <param name="Face">The height of the eyes.</param>
/// <param name="MarkAt">The height of the mark.</param>
internal sealed record BodyFrame(SKPath Outline, float HalfWidth, float Top, float Middle, float Face, float MarkAt)
{
    /// <summary>The frame of a design's body.</summary>
    public static BodyFrame Of(Design design)
    {
        const float bottom = 0.86f;
        var wide = design.Width * (design.Family is DesignFamily.Castle or DesignFamily.Truck ? 0.94f : 1);
        var (w, top) = design.Body switch
        {
            BodyShape.Tall => (0.4f * wide, -0.56f),
            BodyShape.Square => (0.54f * wide, -0.4f),
            BodyShape.Pear => (0.56f * wide, -0.52f),
            _ => (0.6f * wide, -0.42f),
        };
        var outline = design.Body switch
        {
            BodyShape.Tall => Box(-w, top, w, bottom, w * 0.95f),
            BodyShape.Square => Box(-w, top, w, bottom, 0.1f),
            BodyShape.Pear => Svg(
                FormattableString.Invariant(
                    $"M0 {top} C{w * 0.75f} {top} {w * 0.55f} {top + 0.5f} {w * 0.8f} 0.1 C{w * 1.2f} 0.4 {w * 1.05f} {bottom} {w * 0.5f} {bottom} L{-w * 0.5f} {bottom} C{-w * 1.05f} {bottom} {-w * 1.2f} 0.4 {-w * 0.8f} 0.1 C{-w * 0.55f} {top + 0.5f} {-w * 0.75f} {top} 0 {top}Z"
                )
            ),
            _ => Oval(0, (top + bottom) / 2, w * 1.08f, (bottom - top) / 2),
        };
        return new BodyFrame(outline, w, top, 0.22f, top + 0.4f, 0.5f);
    }
}
