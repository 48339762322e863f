using static Dti.Mini.World.Paths;

namespace Dti.Mini.World.Shapes;

/// <summary>Plants, buildings and vehicles.</summary>
internal static class Outdoors
{
    public static Shape Tree =>
        new(
            "tree",
            [
                new(Svg("M-0.14 0.2 L0.14 0.2 L0.22 0.98 L-0.22 0.98Z"), Ink.Wood),
                new(
                    Svg(
                        "M0 -0.98 C0.35 -1 0.55 -0.75 0.55 -0.6 C0.98 -0.55 0.98 0 0.7 0.12 C0.6 0.45 0.15 0.5 0 0.35 C-0.15 0.5 -0.6 0.45 -0.7 0.12 C-0.98 0 -0.98 -0.55 -0.55 -0.6 C-0.55 -0.75 -0.35 -1 0 -0.98Z"
                    ),
                    Ink.Body
                ),
            ]
        );

    public static Shape Flower =>
        new(
            "flower",
            [
                new(Svg("M0 0.2 L0 0.97"), Ink.Leaf, 0.13f),
                new(
                    Svg(
                        "M0 0.9 C0.1 0.5 0.5 0.5 0.65 0.5 C0.6 0.8 0.3 0.95 0 0.9Z M0 0.9 C-0.1 0.6 -0.5 0.6 -0.65 0.6 C-0.6 0.85 -0.3 0.98 0 0.9Z"
                    ),
                    Ink.Leaf
                ),
                new(
                    Svg(
                        "M0 -0.98 C0.3 -0.98 0.35 -0.7 0.27 -0.55 C0.45 -0.72 0.78 -0.62 0.72 -0.32 C0.68 -0.15 0.5 -0.08 0.35 -0.12 C0.55 0 0.55 0.35 0.25 0.38 C0.08 0.4 0 0.25 0 0.12 C0 0.25 -0.08 0.4 -0.25 0.38 C-0.55 0.35 -0.55 0 -0.35 -0.12 C-0.5 -0.08 -0.68 -0.15 -0.72 -0.32 C-0.78 -0.62 -0.45 -0.72 -0.27 -0.55 C-0.35 -0.7 -0.3 -0.98 0 -0.98Z"
                    ),
                    Ink.Body
                ),
                new(Circle(0, -0.3f, 0.2f), Ink.Of(0xF7, 0xC6, 0x3C)),
            ]
        );

    public static Shape Mushroom =>
        new(
            "mushroom",
            [
                new(
                    Svg(
                        "M-0.25 -0.05 L0.25 -0.05 C0.2 0.4 0.32 0.75 0.36 0.98 L-0.36 0.98 C-0.32 0.75 -0.2 0.4 -0.25 -0.05Z"
                    ),
                    Ink.Of(0xF2, 0xE4, 0xC8)
                ),
                new(Svg("M-0.97 0.12 C-0.95 -1.2 0.95 -1.2 0.97 0.12 C0.6 0.28 -0.6 0.28 -0.97 0.12Z"), Ink.Body),
            ]
        );

    public static Shape Cactus =>
        new(
            "cactus",
            [
                new(
                    Svg("M-0.3 0.15 C-0.75 0.2 -0.72 -0.1 -0.72 -0.35 M0.3 0 C0.75 0.05 0.72 -0.3 0.72 -0.55"),
                    Ink.Body,
                    0.3f
                ),
                new(Box(-0.32f, -0.97f, 0.32f, 0.7f, 0.3f), Ink.Body),
                new(Polygon(-0.55f, 0.45f, 0.55f, 0.45f, 0.42f, 0.98f, -0.42f, 0.98f), Ink.Of(0xB9, 0x67, 0x42)),
                new(Box(-0.62f, 0.4f, 0.62f, 0.56f, 0.03f), Ink.Of(0x9C, 0x52, 0x33)),
            ]
        );

    public static Shape House =>
        new(
            "house",
            [
                new(Box(0.35f, -0.85f, 0.58f, -0.3f), Ink.Wood),
                new(Box(-0.72f, -0.15f, 0.72f, 0.98f), Ink.Body),
                new(Polygon(-0.97f, -0.08f, 0, -0.92f, 0.97f, -0.08f), Ink.Trim),
                new(Box(-0.18f, 0.38f, 0.18f, 0.98f, 0.03f), Ink.Wood),
                new(Box(-0.56f, 0.1f, -0.28f, 0.4f), Ink.Glass),
                new(Box(0.28f, 0.1f, 0.56f, 0.4f), Ink.Glass),
            ]
        );

    public static Shape Car =>
        new(
            "car",
            [
                new(
                    Svg("M-0.55 0.1 C-0.45 -0.4 -0.35 -0.5 -0.1 -0.5 L0.3 -0.5 C0.5 -0.5 0.6 -0.2 0.68 0.1Z"),
                    Ink.Trim
                ),
                new(
                    Svg(
                        "M-0.4 0.08 C-0.33 -0.28 -0.25 -0.36 -0.1 -0.36 L0.04 -0.36 L0.04 0.08Z M0.14 0.08 L0.14 -0.36 L0.27 -0.36 C0.4 -0.36 0.46 -0.15 0.52 0.08Z"
                    ),
                    Ink.Glass
                ),
                new(
                    Svg(
                        "M-0.97 0.75 L-0.97 0.35 C-0.95 0.1 -0.7 0.05 -0.5 0.02 L0.65 0.02 C0.9 0.05 0.97 0.2 0.97 0.4 L0.97 0.75Z"
                    ),
                    Ink.Body
                ),
                new(Circle(-0.52f, 0.72f, 0.25f), Ink.Dark),
                new(Circle(0.52f, 0.72f, 0.25f), Ink.Dark),
                new(Circle(-0.52f, 0.72f, 0.11f), Ink.Metal),
                new(Circle(0.52f, 0.72f, 0.11f), Ink.Metal),
            ]
        );

    public static Shape Boat =>
        new(
            "boat",
            [
                new(Svg("M0 -0.97 L0 0.5"), Ink.Wood, 0.1f),
                new(Svg("M0.08 -0.92 C0.6 -0.6 0.85 -0.1 0.88 0.32 L0.08 0.32Z"), Ink.Light),
                new(Svg("M-0.08 -0.75 C-0.4 -0.4 -0.62 0 -0.7 0.32 L-0.08 0.32Z"), Ink.Light),
                new(
                    Svg(
                        "M-0.98 0.42 L0.98 0.42 C0.9 0.8 0.7 0.98 0.5 0.98 L-0.5 0.98 C-0.75 0.98 -0.92 0.75 -0.98 0.42Z"
                    ),
                    Ink.Body
                ),
            ]
        );

    public static Shape Rocket =>
        new(
            "rocket",
            [
                new(Svg("M-0.18 0.62 L0 0.98 L0.18 0.62Z"), Ink.Of(0xF5, 0x9A, 0x23), 0),
                new(Svg("M-0.33 0.15 L-0.75 0.72 L-0.3 0.6Z M0.33 0.15 L0.75 0.72 L0.3 0.6Z"), Ink.Trim),
                new(Svg("M0 -0.98 C0.42 -0.65 0.5 0.1 0.32 0.68 L-0.32 0.68 C-0.5 0.1 -0.42 -0.65 0 -0.98Z"), Ink.Body),
                new(
                    Svg("M0 -0.98 C0.2 -0.82 0.3 -0.6 0.35 -0.45 L-0.35 -0.45 C-0.3 -0.6 -0.2 -0.82 0 -0.98Z"),
                    Ink.Trim
                ),
                new(Circle(0, -0.12f, 0.2f), Ink.Glass),
            ]
        );

    public static Shape Balloon =>
        new(
            "balloon",
            [
                new(Svg("M-0.45 0 L-0.2 0.65 M0.45 0 L0.2 0.65"), Ink.Wood, 0.06f),
                new(
                    Svg("M0 -0.98 C0.85 -0.98 0.85 -0.1 0.25 0.35 L-0.25 0.35 C-0.85 -0.1 -0.85 -0.98 0 -0.98Z"),
                    Ink.Body
                ),
                new(Box(-0.28f, 0.6f, 0.28f, 0.98f, 0.06f), Ink.Wood),
            ]
        );
}
