using static Dti.Mini.World.Paths;

namespace Dti.Mini.World.Shapes;

/// <summary>Other things and signs.</summary>
internal static class Things
{
    public static Shape Star =>
        new(
            "star",
            [
                new(
                    Svg(
                        "M0 -0.95 L0.26 -0.3 L0.95 -0.26 L0.42 0.19 L0.6 0.87 L0 0.49 L-0.6 0.87 L-0.42 0.19 L-0.95 -0.26 L-0.26 -0.3Z"
                    ),
                    Ink.Body
                ),
            ]
        );

    public static Shape Heart =>
        new(
            "heart",
            [
                new(
                    Svg(
                        "M0 0.95 C-0.55 0.5 -0.97 0.15 -0.97 -0.35 C-0.97 -0.98 -0.2 -1.05 0 -0.5 C0.2 -1.05 0.97 -0.98 0.97 -0.35 C0.97 0.15 0.55 0.5 0 0.95Z"
                    ),
                    Ink.Body
                ),
            ]
        );

    public static Shape Moon =>
        new(
            "moon",
            [
                new(
                    Svg(
                        "M0.35 -0.97 C-0.55 -0.98 -0.9 -0.4 -0.9 0 C-0.9 0.55 -0.45 0.98 0.35 0.97 C0.5 0.97 0.7 0.85 0.75 0.75 C-0.35 0.75 -0.45 -0.7 0.75 -0.75 C0.7 -0.85 0.5 -0.97 0.35 -0.97Z"
                    ),
                    Ink.Body
                ),
            ]
        );

    public static Shape Ball =>
        new(
            "ball",
            [
                new(Circle(0, 0.05f, 0.93f), Ink.Body),
                new(Svg("M-0.9 0.05 Q0 0.42 0.9 0.05 M0 -0.88 Q0.42 0.05 0 0.98"), Ink.Trim, 0.09f),
            ]
        );

    public static Shape Chair =>
        new(
            "chair",
            [
                new(
                    Svg("M-0.5 -0.9 L-0.5 0.95 M0.5 0.3 L0.5 0.95 M-0.2 0.3 L-0.2 0.8 M0.66 0.3 L0.66 0.8"),
                    Ink.Wood,
                    0.12f
                ),
                new(Box(-0.66f, -0.97f, -0.34f, 0.2f, 0.12f), Ink.Body),
                new(Svg("M-0.68 0.08 L0.6 0.08 Q0.8 0.08 0.8 0.25 Q0.8 0.45 0.6 0.45 L-0.68 0.45Z"), Ink.Body),
            ]
        );

    public static Shape Lamp =>
        new(
            "lamp",
            [
                new(Svg("M0 0 L0 0.9"), Ink.Metal, 0.13f),
                new(Box(-0.45f, 0.84f, 0.45f, 0.98f, 0.06f), Ink.Metal),
                new(Polygon(-0.42f, -0.95f, 0.42f, -0.95f, 0.85f, 0.15f, -0.85f, 0.15f), Ink.Body),
                new(Box(-0.88f, 0.07f, 0.88f, 0.2f, 0.05f), Ink.Tint),
            ]
        );

    public static Shape Hat =>
        new(
            "hat",
            [
                new(Svg("M-0.55 0.5 L-0.48 -0.6 C-0.46 -0.85 0.46 -0.85 0.48 -0.6 L0.55 0.5Z"), Ink.Body),
                new(Box(-0.56f, 0.22f, 0.56f, 0.5f), Ink.Dark),
                new(Svg("M-0.98 0.62 C-0.8 0.4 0.8 0.4 0.98 0.62 C0.9 0.92 -0.9 0.92 -0.98 0.62Z"), Ink.Body),
            ]
        );

    public static Shape Umbrella =>
        new(
            "umbrella",
            [
                new(Svg("M0 -0.9 L0 0.75 C0 1 0.35 1 0.35 0.75"), Ink.Wood, 0.1f),
                new(
                    Svg(
                        "M-0.97 0.1 C-0.9 -1.1 0.9 -1.1 0.97 0.1 Q0.65 -0.15 0.33 0.1 Q0 -0.15 -0.33 0.1 Q-0.65 -0.15 -0.97 0.1Z"
                    ),
                    Ink.Body
                ),
            ]
        );

    public static Shape Guitar =>
        new(
            "guitar",
            [
                new(Box(-0.09f, -0.85f, 0.09f, 0.2f), Ink.Wood),
                new(Box(-0.17f, -0.98f, 0.17f, -0.72f, 0.05f), Ink.Dark),
                new(
                    Svg(
                        "M0 -0.18 C0.5 -0.22 0.5 0.12 0.4 0.22 C0.8 0.5 0.62 0.98 0 0.98 C-0.62 0.98 -0.8 0.5 -0.4 0.22 C-0.5 0.12 -0.5 -0.22 0 -0.18Z"
                    ),
                    Ink.Body
                ),
                new(Circle(0, 0.3f, 0.17f), Ink.Dark),
                new(Box(-0.24f, 0.66f, 0.24f, 0.76f, 0.03f), Ink.Dark),
            ]
        );

    public static Shape Key =>
        new(
            "key",
            [
                new(Svg("M0 0.02 L0 0.92 M0.05 0.85 L0.38 0.85 M0.05 0.55 L0.32 0.55"), Ink.Trim, 0.2f),
                new(Svg("M0 -0.97 A0.52 0.52 0 1 1 -0.01 -0.97Z M0 -0.62 A0.18 0.18 0 1 0 0.01 -0.62Z"), Ink.Body),
            ]
        );
}
