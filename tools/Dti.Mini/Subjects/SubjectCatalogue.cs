using Dti.Mini.World;
using static Dti.Mini.World.Paths;

namespace Dti.Mini.Subjects;

/// <summary>Twelve subjects: new silhouettes, with markings and colours that no shape of the world has.</summary>
internal static class SubjectCatalogue
{
    private static readonly Ink _teal = Ink.Of(0x1F, 0x8A, 0x8C);
    private static readonly Ink _cream = Ink.Of(0xF7, 0xEB, 0xCF);
    private static readonly Ink _coral = Ink.Of(0xE9, 0x6A, 0x55);
    private static readonly Ink _gold = Ink.Of(0xE8, 0xB0, 0x34);
    private static readonly Ink _navy = Ink.Of(0x23, 0x2F, 0x66);
    private static readonly Ink _mint = Ink.Of(0x8E, 0xD6, 0xB2);
    private static readonly Ink _plum = Ink.Of(0x7A, 0x3B, 0x82);
    private static readonly Ink _sky = Ink.Of(0x7F, 0xC4, 0xE8);
    private static readonly Ink _lime = Ink.Of(0xA9, 0xCB, 0x3C);
    private static readonly Ink _rust = Ink.Of(0xB4, 0x54, 0x2B);
    private static readonly Ink _steel = Ink.Of(0x8C, 0x9A, 0xAB);

    public static IReadOnlyList<Subject> All { get; } =
    [
        new(
            "crested-teapot",
            "teapot",
            [
                new(Svg("M0.4 -0.1 C1.1 -0.35 1.05 0.7 0.4 0.6"), _coral, 0.15f),
                new(
                    Svg("M-0.35 0.55 C-0.75 0.5 -0.7 -0.15 -0.98 -0.25 L-0.85 -0.45 C-0.5 -0.3 -0.5 0.1 -0.3 0.15Z"),
                    _coral
                ),
                new(Svg("M-0.5 0.98 C-0.62 0.3 -0.5 -0.35 -0.3 -0.5 L0.3 -0.5 C0.5 -0.35 0.62 0.3 0.5 0.98Z"), _teal),
                new(
                    Svg("M-0.55 0.35 L0.53 -0.1 L0.55 0.12 L-0.56 0.58Z M-0.54 0.78 L0.56 0.33 L0.56 0.55 L-0.4 0.95Z"),
                    _cream
                ),
                new(
                    Svg(
                        "M-0.33 -0.5 L-0.42 -0.85 L-0.2 -0.65 L-0.1 -0.97 L0.02 -0.66 L0.2 -0.97 L0.22 -0.65 L0.42 -0.85 L0.33 -0.5Z"
                    ),
                    _coral
                ),
            ]
        ),
        new(
            "horned-creature",
            "cat",
            [
                new(
                    Svg(
                        "M-0.42 -0.5 L-0.7 -0.97 L-0.2 -0.65Z M0.42 -0.5 L0.7 -0.97 L0.2 -0.65Z M-0.12 -0.6 L0 -0.97 L0.12 -0.6Z"
                    ),
                    _gold
                ),
                new(Svg("M-0.6 0.98 C-0.95 0.3 -0.75 -0.7 0 -0.7 C0.75 -0.7 0.95 0.3 0.6 0.98Z"), _mint),
                new(Svg("M0 -0.7 C0.75 -0.7 0.95 0.3 0.6 0.98 L0 0.98Z"), _plum),
                new(Circle(0, -0.2f, 0.27f), Ink.Light),
                new(Circle(0, -0.17f, 0.14f), Ink.Dark),
                new(Svg("M-0.3 0.25 Q0 0.5 0.3 0.25"), Ink.Dark, 0.08f),
            ]
        ),
        new(
            "tiered-lamp",
            "lamp",
            [
                new(Box(-0.55f, 0.82f, 0.55f, 0.98f, 0.07f), _navy),
                new(Svg("M0 -0.9 L0 0.9"), _navy, 0.14f),
                new(Svg("M-0.85 0.55 L0.85 0.55 L0.6 0.15 L-0.6 0.15Z"), _coral),
                new(Svg("M-0.66 0.02 L0.66 0.02 L0.45 -0.32 L-0.45 -0.32Z"), _gold),
                new(Svg("M-0.48 -0.45 L0.48 -0.45 L0.28 -0.75 L-0.28 -0.75Z"), _sky),
                new(Circle(0, -0.86f, 0.12f), Ink.Light),
            ]
        ),
        new(
            "plush-dinosaur",
            "turtle",
            [
                new(Svg("M0.3 0.6 C0.7 0.7 0.9 0.5 0.97 0.15 C0.6 0.35 0.5 0.1 0.35 0.05Z"), _lime),
                new(
                    Svg(
                        "M-0.05 -0.75 L0.12 -0.62 L0.22 -0.4 L0.4 -0.38 L0.38 -0.12 L0.58 0 L0.45 0.25 L0.6 0.45 L0.2 0.3 L-0.1 -0.3Z"
                    ),
                    _coral
                ),
                new(
                    Svg(
                        "M-0.9 -0.45 C-0.9 -0.9 -0.05 -0.95 0.02 -0.45 C0.1 -0.1 0.5 0.1 0.5 0.55 L0.45 0.98 L0.15 0.98 L0.12 0.8 L-0.2 0.8 L-0.22 0.98 L-0.52 0.98 C-0.6 0.5 -0.4 0.2 -0.42 -0.15 C-0.7 -0.1 -0.9 -0.2 -0.9 -0.45Z"
                    ),
                    _lime
                ),
                new(
                    Svg("M-0.42 0.05 C-0.2 0.1 -0.1 0.4 -0.15 0.75 L-0.5 0.75 C-0.52 0.5 -0.42 0.3 -0.42 0.05Z"),
                    _cream
                ),
                new(Circle(0.15f, 0.3f, 0.1f), _plum),
                new(Circle(0.3f, 0.58f, 0.09f), _plum),
                new(Circle(-0.5f, -0.55f, 0.1f), Ink.Dark),
            ]
        ),
        new(
            "box-robot",
            "house",
            [
                new(Svg("M0 -0.75 L0 -0.92"), _steel, 0.08f),
                new(Circle(0, -0.92f, 0.08f), _coral),
                new(Svg("M-0.55 0.1 L-0.85 0.45 M0.55 0.1 L0.85 0.45"), _steel, 0.16f),
                new(Box(-0.4f, 0.65f, -0.1f, 0.98f, 0.04f), _navy),
                new(Box(0.1f, 0.65f, 0.4f, 0.98f, 0.04f), _navy),
                new(Box(-0.55f, -0.05f, 0.55f, 0.72f, 0.08f), _gold),
                new(Box(-0.48f, -0.75f, 0.48f, -0.12f, 0.1f), _steel),
                new(Circle(-0.2f, -0.45f, 0.14f), _sky),
                new(Circle(0.2f, -0.45f, 0.14f), _sky),
                new(Box(-0.3f, 0.12f, 0.3f, 0.5f, 0.04f), _navy),
                new(Svg("M-0.22 0.31 L-0.08 0.31 L0 0.18 L0.08 0.44 L0.16 0.31 L0.24 0.31"), _lime, 0.06f),
            ]
        ),
        new(
            "rainbow-snail",
            "turtle",
            [
                new(Svg("M-0.98 0.95 C-0.95 0.5 -0.85 0.3 -0.7 0.3 C-0.5 0.3 -0.5 0.6 -0.3 0.65 L0.97 0.95Z"), _cream),
                new(Svg("M-0.82 0.35 L-0.91 -0.05 M-0.66 0.32 L-0.62 -0.08"), _cream, 0.08f),
                new(Circle(-0.91f, -0.08f, 0.08f), Ink.Dark),
                new(Circle(-0.62f, -0.1f, 0.08f), Ink.Dark),
                new(Circle(0.22f, 0.2f, 0.65f), _coral),
                new(Circle(0.25f, 0.26f, 0.5f), _gold),
                new(Circle(0.22f, 0.3f, 0.36f), _teal),
                new(Circle(0.24f, 0.26f, 0.2f), _plum),
            ]
        ),
        new(
            "cupcake-gnome",
            "mushroom",
            [
                new(Svg("M-0.5 0.98 L-0.6 0.3 L0.6 0.3 L0.5 0.98Z"), _sky),
                new(
                    Svg("M-0.35 0.98 L-0.4 0.3 L-0.2 0.3 L-0.17 0.98Z M0.35 0.98 L0.4 0.3 L0.2 0.3 L0.17 0.98Z"),
                    Ink.Light
                ),
                new(Svg("M-0.6 0.15 C-0.5 0.9 0.5 0.9 0.6 0.15Z"), Ink.Light),
                new(Circle(0, 0.05f, 0.4f), Ink.Of(0xF3, 0xC6, 0xA0)),
                new(
                    Svg(
                        "M-0.75 0 C-0.85 -0.35 -0.5 -0.4 -0.5 -0.4 C-0.55 -0.7 -0.2 -0.7 -0.2 -0.7 C-0.15 -0.98 0.15 -0.98 0.2 -0.7 C0.2 -0.7 0.55 -0.7 0.5 -0.4 C0.5 -0.4 0.85 -0.35 0.75 0Z"
                    ),
                    Ink.Of(0xF5, 0x9F, 0xC0)
                ),
                new(Circle(0, -0.85f, 0.12f), Ink.Of(0xC4, 0x1F, 0x3A)),
                new(Circle(-0.14f, 0.12f, 0.06f), Ink.Dark),
                new(Circle(0.14f, 0.12f, 0.06f), Ink.Dark),
                new(Circle(0, 0.25f, 0.1f), _coral),
            ]
        ),
        new(
            "winged-bag",
            "owl",
            [
                new(
                    Svg(
                        "M-0.4 -0.3 C-0.95 -0.75 -1 0 -0.9 0.35 C-0.8 0.15 -0.75 0.4 -0.65 0.45 C-0.6 0.25 -0.5 0.45 -0.4 0.4Z M0.4 -0.3 C0.95 -0.75 1 0 0.9 0.35 C0.8 0.15 0.75 0.4 0.65 0.45 C0.6 0.25 0.5 0.45 0.4 0.4Z"
                    ),
                    Ink.Light
                ),
                new(Svg("M-0.22 -0.5 C-0.22 -1 0.22 -1 0.22 -0.5"), _rust, 0.12f),
                new(
                    Svg(
                        "M-0.5 -0.2 C-0.5 -0.65 0.5 -0.65 0.5 -0.2 L0.55 0.85 Q0.55 0.98 0.4 0.98 L-0.4 0.98 Q-0.55 0.98 -0.55 0.85Z"
                    ),
                    _rust
                ),
                new(Box(-0.38f, 0.35f, 0.38f, 0.85f, 0.1f), _gold),
                new(Svg("M-0.5 0 L0.5 0"), _navy, 0.12f),
                new(
                    Svg(
                        "M0 0.45 L0.06 0.56 L0.18 0.58 L0.09 0.66 L0.11 0.78 L0 0.72 L-0.11 0.78 L-0.09 0.66 L-0.18 0.58 L-0.06 0.56Z"
                    ),
                    _navy
                ),
            ]
        ),
        new(
            "ringed-squid",
            "rocket",
            [
                new(
                    Svg(
                        "M-0.45 0.3 C-0.75 0.6 -0.5 0.8 -0.8 0.97 M-0.2 0.35 C-0.4 0.65 -0.1 0.8 -0.3 0.97 M0.2 0.35 C0.4 0.65 0.1 0.8 0.3 0.97 M0.45 0.3 C0.75 0.6 0.5 0.8 0.8 0.97"
                    ),
                    _plum,
                    0.16f
                ),
                new(Svg("M0 -0.98 C0.75 -0.6 0.7 0.1 0.55 0.45 L-0.55 0.45 C-0.7 0.1 -0.75 -0.6 0 -0.98Z"), _plum),
                new(
                    Svg(
                        "M-0.52 -0.45 C-0.2 -0.35 0.2 -0.35 0.52 -0.45 L0.58 -0.25 C0.2 -0.15 -0.2 -0.15 -0.58 -0.25Z M-0.2 -0.85 C-0.05 -0.8 0.05 -0.8 0.2 -0.85 L0.36 -0.7 C0.1 -0.62 -0.1 -0.62 -0.36 -0.7Z"
                    ),
                    _mint
                ),
                new(Circle(-0.25f, 0.1f, 0.17f), Ink.Light),
                new(Circle(0.25f, 0.1f, 0.17f), Ink.Light),
                new(Circle(-0.22f, 0.12f, 0.09f), Ink.Dark),
                new(Circle(0.28f, 0.12f, 0.09f), Ink.Dark),
            ]
        ),
        new(
            "castle-clock",
            "house",
            [
                new(
                    Svg(
                        "M-0.75 0.98 L-0.75 -0.3 L-0.6 -0.3 L-0.6 -0.15 L-0.45 -0.15 L-0.45 -0.3 L-0.32 -0.3 L-0.32 -0.75 L-0.2 -0.75 L-0.2 -0.6 L-0.07 -0.6 L-0.07 -0.75 L0.07 -0.75 L0.07 -0.6 L0.2 -0.6 L0.2 -0.75 L0.32 -0.75 L0.32 -0.3 L0.45 -0.3 L0.45 -0.15 L0.6 -0.15 L0.6 -0.3 L0.75 -0.3 L0.75 0.98Z"
                    ),
                    _teal
                ),
                new(Svg("M0 -0.75 L0 -0.98 L0.25 -0.9 L0 -0.82"), _coral),
                new(Circle(0, 0.1f, 0.38f), _cream),
                new(Svg("M0 0.1 L0 -0.15 M0 0.1 L0.18 0.2"), Ink.Dark, 0.08f),
                new(Svg("M-0.2 0.98 L-0.2 0.75 C-0.2 0.55 0.2 0.55 0.2 0.75 L0.2 0.98Z"), _rust),
            ]
        ),
        new(
            "pear-bird",
            "duck",
            [
                new(Svg("M-0.15 0.85 L-0.15 0.98 M0.15 0.85 L0.15 0.98"), _gold, 0.1f),
                new(Svg("M0.2 0.35 L0.95 0.1 L0.85 0.35 L0.97 0.5 L0.4 0.7Z"), _coral),
                new(
                    Svg(
                        "M0 -0.95 C0.35 -0.95 0.35 -0.45 0.4 -0.2 C0.75 0.1 0.7 0.88 0 0.88 C-0.7 0.88 -0.75 0.1 -0.4 -0.2 C-0.35 -0.45 -0.35 -0.95 0 -0.95Z"
                    ),
                    _sky
                ),
                new(
                    Svg(
                        "M-0.48 0.2 C-0.2 0.35 0.2 0.35 0.48 0.2 C0.6 0.75 0.2 0.86 0 0.86 C-0.2 0.86 -0.6 0.75 -0.48 0.2Z"
                    ),
                    _gold
                ),
                new(Svg("M-0.12 -0.65 L-0.98 -0.4 L-0.15 -0.2Z"), _rust),
                new(Circle(0.05f, -0.62f, 0.11f), Ink.Light),
                new(Circle(0.03f, -0.62f, 0.06f), Ink.Dark),
            ]
        ),
        new(
            "zigzag-hourglass",
            "vase",
            [
                new(
                    Svg(
                        "M-0.6 -0.9 L0.6 -0.9 C0.6 -0.4 0.15 -0.25 0.12 0 C0.15 0.25 0.6 0.4 0.6 0.9 L-0.6 0.9 C-0.6 0.4 -0.15 0.25 -0.12 0 C-0.15 -0.25 -0.6 -0.4 -0.6 -0.9Z"
                    ),
                    _navy
                ),
                new(Svg("M-0.52 0.7 L-0.32 0.45 L-0.16 0.7 L0 0.45 L0.16 0.7 L0.32 0.45 L0.52 0.7"), _gold, 0.11f),
                new(Svg("M-0.5 -0.72 L-0.3 -0.5 L-0.15 -0.72 L0 -0.5 L0.15 -0.72 L0.3 -0.5 L0.5 -0.72"), _coral, 0.11f),
                new(Box(-0.72f, -0.98f, 0.72f, -0.84f, 0.05f), _gold),
                new(Box(-0.72f, 0.84f, 0.72f, 0.98f, 0.05f), _gold),
            ]
        ),
    ];
}
