using static Dti.Mini.World.Paths;

namespace Dti.Mini.World.Shapes;

/// <summary>Animals.</summary>
internal static class Animals
{
    public static Shape Cat =>
        new(
            "cat",
            [
                new(Svg("M0.45 0.85 C0.95 0.85 0.98 0.35 0.78 0.05"), Ink.Trim, 0.17f),
                new(Svg("M-0.5 0.98 C-0.62 0.45 -0.4 0.05 0 0.05 C0.4 0.05 0.62 0.45 0.5 0.98Z"), Ink.Body),
                new(Polygon(-0.56f, -0.97f, -0.08f, -0.62f, -0.58f, -0.3f), Ink.Trim),
                new(Polygon(0.56f, -0.97f, 0.08f, -0.62f, 0.58f, -0.3f), Ink.Trim),
                new(Oval(0, -0.32f, 0.6f, 0.46f), Ink.Body),
                .. Eyes(0.24f, -0.36f, 0.1f),
                new(Polygon(-0.08f, -0.16f, 0.08f, -0.16f, 0, -0.06f), Ink.Of(0xE8, 0x7A, 0x8A)),
                new(
                    Svg(
                        "M-0.3 -0.12 L-0.75 -0.18 M-0.3 -0.03 L-0.72 0.03 M0.3 -0.12 L0.75 -0.18 M0.3 -0.03 L0.72 0.03"
                    ),
                    Ink.Dark,
                    0.045f
                ),
            ]
        );

    public static Shape Dog =>
        new(
            "dog",
            [
                new(Svg("M-0.4 0.55 C-0.9 0.5 -0.95 0.2 -0.85 0"), Ink.Trim, 0.15f),
                new(Svg("M-0.52 0.98 C-0.6 0.4 -0.35 0.1 0.05 0.1 C0.45 0.1 0.6 0.45 0.52 0.98Z"), Ink.Body),
                new(Oval(0, -0.38f, 0.52f, 0.52f), Ink.Body),
                new(Svg("M-0.35 -0.85 C-0.85 -0.85 -0.95 -0.2 -0.72 0.1 C-0.5 0.15 -0.42 -0.3 -0.3 -0.6Z"), Ink.Trim),
                new(Svg("M0.35 -0.85 C0.85 -0.85 0.95 -0.2 0.72 0.1 C0.5 0.15 0.42 -0.3 0.3 -0.6Z"), Ink.Trim),
                new(Oval(0, -0.17f, 0.3f, 0.24f), Ink.Tint),
                .. Eyes(0.2f, -0.48f, 0.085f),
                new(Oval(0, -0.27f, 0.13f, 0.09f), Ink.Dark),
            ]
        );

    public static Shape Rabbit =>
        new(
            "rabbit",
            [
                new(
                    Svg("M-0.15 -0.35 C-0.55 -0.6 -0.5 -0.98 -0.33 -0.98 C-0.12 -0.98 -0.02 -0.6 -0.02 -0.35Z"),
                    Ink.Body
                ),
                new(Svg("M0.15 -0.35 C0.55 -0.6 0.5 -0.98 0.33 -0.98 C0.12 -0.98 0.02 -0.6 0.02 -0.35Z"), Ink.Body),
                new(Oval(-0.27f, -0.66f, 0.08f, 0.2f), Ink.Of(0xF2, 0xB3, 0xBE)),
                new(Oval(0.27f, -0.66f, 0.08f, 0.2f), Ink.Of(0xF2, 0xB3, 0xBE)),
                new(Circle(0.5f, 0.78f, 0.2f), Ink.Light),
                new(Oval(0, 0.55f, 0.52f, 0.44f), Ink.Body),
                new(Oval(0, -0.12f, 0.43f, 0.37f), Ink.Body),
                .. Eyes(0.18f, -0.18f, 0.075f),
                new(Oval(0, -0.04f, 0.07f, 0.05f), Ink.Of(0xE8, 0x7A, 0x8A)),
                new(Box(-0.09f, 0.05f, 0.09f, 0.2f, 0.03f), Ink.Light),
            ]
        );

    public static Shape Owl =>
        new(
            "owl",
            [
                new(
                    Svg(
                        "M-0.55 -0.6 L-0.62 -0.97 L-0.15 -0.8 L0.15 -0.8 L0.62 -0.97 L0.55 -0.6 C0.82 -0.2 0.82 0.55 0.45 0.92 L-0.45 0.92 C-0.82 0.55 -0.82 -0.2 -0.55 -0.6Z"
                    ),
                    Ink.Body
                ),
                new(Svg("M-0.66 -0.1 C-0.98 0.2 -0.85 0.65 -0.55 0.75 C-0.5 0.4 -0.55 0.1 -0.66 -0.1Z"), Ink.Trim),
                new(Svg("M0.66 -0.1 C0.98 0.2 0.85 0.65 0.55 0.75 C0.5 0.4 0.55 0.1 0.66 -0.1Z"), Ink.Trim),
                new(Circle(-0.29f, -0.42f, 0.27f), Ink.Light),
                new(Circle(0.29f, -0.42f, 0.27f), Ink.Light),
                .. Eyes(0.27f, -0.4f, 0.13f),
                new(Polygon(-0.11f, -0.3f, 0.11f, -0.3f, 0, -0.05f), Ink.Of(0xF0, 0x9A, 0x2C)),
                new(Svg("M-0.25 0.9 L-0.25 0.98 M0.25 0.9 L0.25 0.98"), Ink.Of(0xF0, 0x9A, 0x2C), 0.16f),
            ]
        );

    public static Shape Fish =>
        new(
            "fish",
            [
                new(Svg("M0.35 0 L0.97 -0.5 Q0.82 0 0.97 0.5Z"), Ink.Trim),
                new(
                    Svg("M-0.25 -0.42 Q0 -0.85 0.35 -0.7 L0.25 -0.3Z M-0.1 0.42 Q0.05 0.8 0.3 0.75 L0.25 0.3Z"),
                    Ink.Trim
                ),
                new(Svg("M-0.98 0 C-0.7 -0.62 0.2 -0.72 0.6 0 C0.2 0.72 -0.7 0.62 -0.98 0Z"), Ink.Body),
                new(Circle(-0.6f, -0.13f, 0.15f), Ink.Light),
                new(Circle(-0.62f, -0.13f, 0.08f), Ink.Dark),
                new(Svg("M-0.35 -0.35 Q-0.18 0 -0.35 0.35"), Ink.Trim, 0.07f),
            ]
        );

    public static Shape Duck =>
        new(
            "duck",
            [
                new(Polygon(-0.98f, -0.42f, -0.5f, -0.55f, -0.5f, -0.28f), Ink.Of(0xF2, 0x93, 0x24)),
                new(
                    Svg(
                        "M-0.7 0.4 C-0.75 0 -0.6 -0.15 -0.2 -0.05 C0.2 0.15 0.6 0.1 0.97 -0.25 C1 0.4 0.75 0.95 0.1 0.95 C-0.45 0.95 -0.68 0.75 -0.7 0.4Z"
                    ),
                    Ink.Body
                ),
                new(Circle(-0.3f, -0.45f, 0.38f), Ink.Body),
                new(Svg("M-0.15 0.35 C0.15 0.25 0.45 0.3 0.65 0.2 C0.65 0.6 0.1 0.8 -0.15 0.35Z"), Ink.Trim),
                new(Circle(-0.4f, -0.55f, 0.085f), Ink.Dark),
            ]
        );

    public static Shape Turtle =>
        new(
            "turtle",
            [
                new(Oval(-0.78f, 0.25f, 0.22f, 0.2f), Ink.Of(0x9B, 0xB8, 0x5E)),
                new(Box(-0.62f, 0.55f, -0.3f, 0.98f, 0.12f), Ink.Of(0x9B, 0xB8, 0x5E)),
                new(Box(0.35f, 0.55f, 0.67f, 0.98f, 0.12f), Ink.Of(0x9B, 0xB8, 0x5E)),
                new(Polygon(0.8f, 0.5f, 0.98f, 0.75f, 0.7f, 0.72f), Ink.Of(0x9B, 0xB8, 0x5E)),
                new(Svg("M-0.78 0.68 C-0.75 -0.85 0.85 -0.85 0.9 0.68Z"), Ink.Body),
                new(Box(-0.84f, 0.58f, 0.95f, 0.76f, 0.09f), Ink.Trim),
                new(Circle(-0.85f, 0.19f, 0.055f), Ink.Dark),
            ]
        );

    /// <summary>Two dark eyes with a light in them, either side of the middle.</summary>
    public static IEnumerable<Part> Eyes(float x, float y, float radius)
    {
        foreach (var side in (float[])[-x, x])
        {
            yield return new Part(Oval(side, y, radius, radius * 1.25f), Ink.Dark);
            yield return new Part(Circle(side - (radius * 0.3f), y - (radius * 0.4f), radius * 0.4f), Ink.Light);
        }
    }
}
