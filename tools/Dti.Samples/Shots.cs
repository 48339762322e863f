using System.Numerics;

namespace Dti.Samples;

/// <summary>The sample photos.</summary>
internal static class Shots
{
    private static readonly Vector3 _warm = new(1.0f, 0.80f, 0.56f);
    private static readonly Vector3 _cool = new(0.86f, 0.94f, 1.05f);

    public static IReadOnlyList<Shot> All { get; } =
    [
        new("clay-cat/1.jpg", 512, 640, new ClayCat(0, 0, tailUp: false), Backdrop.Table)
        {
            Azimuth = 18,
            Distance = 4.4f,
            Aim = new(0.05f, 1.05f),
            Light = new(55, 48),
        },
        new("clay-cat/2.jpg", 640, 512, new ClayCat(0.2f, 0.12f, tailUp: true), Backdrop.Garden)
        {
            Azimuth = -20,
            Elevation = 9,
            Distance = 4.7f,
            Aim = new(0.25f, 1.08f),
            Light = new(-60, 42),
            LightColor = _cool,
        },
        new("clay-cat/3.png", 384, 384, new ClayCat(-0.2f, -0.16f, tailUp: false), Backdrop.Paper("86B4C6", "C4DCE4"))
        {
            Azimuth = 4,
            Elevation = 10,
            Distance = 4.1f,
            Aim = new(0.05f, 1.04f),
            Grain = 0,
            Exposure = 0.9f,
        },
        new("clay-cat/4.jpg", 576, 512, new ClayCat(0.3f, 0.05f, tailUp: true), Backdrop.Evening)
        {
            Azimuth = 38,
            Elevation = 18,
            Distance = 4.3f,
            Aim = new(0.1f, 1.05f),
            Light = new(-5, 38),
            LightColor = _warm,
            Ambient = 1.6f,
            Exposure = 1.1f,
        },
        new("clay-cat/5.jpg", 512, 576, new ClayCat(-0.35f, 0.1f, tailUp: false), Backdrop.Picnic)
        {
            Azimuth = -32,
            Elevation = 28,
            Distance = 4.7f,
            Aim = new(-0.08f, 0.95f),
            Light = new(-85, 55),
        },
        new("star-teapot/1.jpg", 640, 512, new StarTeapot(openLid: false), Backdrop.Picnic)
        {
            Azimuth = 8,
            Elevation = 16,
            Distance = 4.5f,
            Aim = new(-0.1f, 0.8f),
            Light = new(45, 52),
        },
        new("star-teapot/2.jpg", 512, 512, new StarTeapot(openLid: false), Backdrop.Marble)
        {
            Azimuth = -22,
            Elevation = 26,
            Distance = 5.1f,
            Aim = new(-0.1f, 0.78f),
            Light = new(-50, 46),
            LightColor = _cool,
        },
        new("star-teapot/3.png", 448, 384, new StarTeapot(openLid: false), Backdrop.Paper("D9AE57", "EBD39A"))
        {
            Azimuth = 0,
            Elevation = 8,
            Distance = 4.9f,
            Aim = new(-0.1f, 0.85f),
            Grain = 0,
            Exposure = 0.9f,
        },
        new("star-teapot/4.jpg", 512, 640, new StarTeapot(openLid: true), Backdrop.Table)
        {
            Azimuth = -8,
            Elevation = 32,
            Distance = 5.4f,
            Aim = new(-0.05f, 0.72f),
            Light = new(60, 44),
            LightColor = _warm,
        },
        new("star-teapot/5.jpg", 608, 512, new StarTeapot(openLid: false), Backdrop.Evening)
        {
            Azimuth = 200,
            Elevation = 14,
            Distance = 4.7f,
            Aim = new(0.05f, 0.85f),
            Light = new(240, 40),
            LightColor = _warm,
            Ambient = 1.6f,
            Exposure = 1.1f,
        },
    ];
}
