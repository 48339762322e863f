using static Dti.Mini.World.Paths;

namespace Dti.Mini.World.Shapes;

/// <summary>Things on a table.</summary>
internal static class Tableware
{
    public static Shape Mug =>
        new(
            "mug",
            [
                new(Svg("M0.42 -0.3 C1.05 -0.45 1.1 0.62 0.42 0.55"), Ink.Trim, 0.2f),
                new(
                    Svg(
                        "M-0.75 -0.68 L0.5 -0.68 L0.46 0.75 C0.45 0.95 0.3 0.98 0.15 0.98 L-0.4 0.98 C-0.55 0.98 -0.7 0.95 -0.71 0.75Z"
                    ),
                    Ink.Body
                ),
                new(Oval(-0.125f, -0.68f, 0.625f, 0.17f), Ink.Tint),
                new(Oval(-0.125f, -0.66f, 0.5f, 0.11f), Ink.Of(0x5A, 0x36, 0x22)),
            ]
        );

    public static Shape Teapot =>
        new(
            "teapot",
            [
                new(Svg("M0.5 -0.25 C1.1 -0.4 1.1 0.6 0.5 0.55"), Ink.Trim, 0.16f),
                new(
                    Svg("M-0.45 0.45 C-0.8 0.4 -0.75 -0.2 -0.98 -0.3 L-0.8 -0.45 C-0.55 -0.3 -0.6 0.05 -0.35 0.05Z"),
                    Ink.Trim
                ),
                new(Svg("M0 -0.5 C0.85 -0.5 0.85 0.98 0.35 0.98 L-0.35 0.98 C-0.85 0.98 -0.85 -0.5 0 -0.5Z"), Ink.Body),
                new(Svg("M-0.38 -0.42 C-0.3 -0.72 0.3 -0.72 0.38 -0.42Z"), Ink.Tint),
                new(Circle(0, -0.74f, 0.13f), Ink.Trim),
            ]
        );

    public static Shape Vase =>
        new(
            "vase",
            [
                new(
                    Svg(
                        "M-0.3 -0.95 L0.3 -0.95 C0.2 -0.6 0.15 -0.5 0.25 -0.35 C0.75 -0.1 0.75 0.6 0.35 0.98 L-0.35 0.98 C-0.75 0.6 -0.75 -0.1 -0.25 -0.35 C-0.15 -0.5 -0.2 -0.6 -0.3 -0.95Z"
                    ),
                    Ink.Body
                ),
                new(Box(-0.36f, -0.98f, 0.36f, -0.84f, 0.07f), Ink.Trim),
            ]
        );

    public static Shape Bottle =>
        new(
            "bottle",
            [
                new(
                    Svg(
                        "M-0.16 -0.75 L0.16 -0.75 L0.16 -0.4 C0.2 -0.2 0.46 -0.15 0.46 0.15 L0.46 0.9 Q0.46 0.98 0.38 0.98 L-0.38 0.98 Q-0.46 0.98 -0.46 0.9 L-0.46 0.15 C-0.46 -0.15 -0.2 -0.2 -0.16 -0.4Z"
                    ),
                    Ink.Body
                ),
                new(Box(-0.2f, -0.98f, 0.2f, -0.7f, 0.05f), Ink.Wood),
            ]
        );

    public static Shape Bowl =>
        new(
            "bowl",
            [
                new(Circle(-0.4f, -0.12f, 0.3f), Ink.Of(0xD8, 0x4A, 0x3A)),
                new(Circle(0.12f, -0.2f, 0.32f), Ink.Of(0xF0, 0xB7, 0x3A)),
                new(Circle(0.5f, -0.08f, 0.27f), Ink.Of(0x7F, 0xB0, 0x4A)),
                new(Box(-0.35f, 0.8f, 0.35f, 0.98f, 0.05f), Ink.Trim),
                new(
                    Svg("M-0.98 0 L0.98 0 C0.95 0.6 0.55 0.9 0.3 0.9 L-0.3 0.9 C-0.55 0.9 -0.95 0.6 -0.98 0Z"),
                    Ink.Body
                ),
                new(Box(-0.98f, -0.06f, 0.98f, 0.09f, 0.07f), Ink.Tint),
            ]
        );
}
