using System.Numerics;
using static Dti.Samples.Sdf;

namespace Dti.Samples;

/// <summary>Where a photo is taken: what the subject stands on, and what is out of focus behind it.</summary>
/// <param name="Floor">Colour of the ground at (x, z), linear light.</param>
/// <param name="Low">Colour behind, at the horizon.</param>
/// <param name="High">Colour behind, far up.</param>
/// <param name="Lights">How strongly blurred lights show behind, 0 to 1.</param>
internal sealed record Backdrop(Func<Vector2, Vector3> Floor, Vector3 Low, Vector3 High, float Lights = 0)
{
    public static Backdrop Paper(string color, string above) =>
        new(_ => Surface.Rgb(color), Surface.Rgb(color), Surface.Rgb(above));

    public static Backdrop Table { get; } = new(Wood, Surface.Rgb("6E5A4A"), Surface.Rgb("3C3A40"), 0.8f);

    public static Backdrop Picnic { get; } = new(Gingham, Surface.Rgb("7E9A68"), Surface.Rgb("C4D6BC"), 0.5f);

    public static Backdrop Marble { get; } = new(Veins, Surface.Rgb("BFC7CC"), Surface.Rgb("E3E2DE"));

    public static Backdrop Garden { get; } = new(Lawn, Surface.Rgb("5F7F52"), Surface.Rgb("B4CBBB"), 0.7f);

    public static Backdrop Evening { get; } = new(Planks, Surface.Rgb("2A2440"), Surface.Rgb("14162B"), 1);

    /// <summary>Colour in a direction that meets neither subject nor floor.</summary>
    public Vector3 Behind(Vector3 direction)
    {
        var color = Vector3.Lerp(Low, High, Smoothstep(-0.05f, 0.5f, direction.Y));
        if (Lights == 0)
        {
            return color;
        }

        // Out of focus lights: discs on a grid of directions, some missing.
        var p = 5.5f * new Vector2(MathF.Atan2(direction.X, -direction.Z), MathF.Asin(Math.Clamp(direction.Y, -1, 1)));
        for (var dy = -1; dy <= 1; dy++)
        {
            for (var dx = -1; dx <= 1; dx++)
            {
                int x = (int)MathF.Floor(p.X) + dx,
                    y = (int)MathF.Floor(p.Y) + dy;
                var center = new Vector2(
                    x + 0.5f + (0.4f * Noise.Hash(x, y, 1)),
                    y + 0.5f + (0.4f * Noise.Hash(x, y, 2))
                );
                var radius = 0.36f + (0.16f * Noise.Hash(x, y, 3));
                var disc = Smoothstep(radius, radius - 0.14f, (p - center).Length()) * Math.Max(Noise.Hash(x, y, 4), 0);
                color += Lights * disc * Vector3.Lerp(High, Surface.Rgb("FFD79A"), 0.6f) * 0.45f;
            }
        }

        return color;
    }

    private static Vector3 Wood(Vector2 p)
    {
        var grain = Noise.Fractal(new(1.1f * p.X, 11 * p.Y, 0), 4);
        var rings = 0.5f + (0.5f * MathF.Sin((12 * p.Y) + (7 * grain)));
        return Vector3.Lerp(Surface.Rgb("7C5233"), Surface.Rgb("9C6C43"), rings)
            * (1 + (0.25f * Noise.Fractal(new(3 * p.X, 50 * p.Y, 3), 2)));
    }

    private static Vector3 Planks(Vector2 p)
    {
        var (plank, offset) = (MathF.Floor(p.X / 0.8f), MathF.Abs((p.X / 0.8f) - MathF.Floor(p.X / 0.8f) - 0.5f));
        var grain = Noise.Fractal(new(9 * p.X, (1.2f * p.Y) + (7 * plank), plank), 4);
        var color =
            Vector3.Lerp(Surface.Rgb("5A4A44"), Surface.Rgb("80695A"), 0.5f + grain)
            * (1 + (0.15f * Noise.Hash((int)plank, 0, 0)));
        return color * (1 - (0.7f * Smoothstep(0.475f, 0.495f, offset)));
    }

    private static Vector3 Gingham(Vector2 p)
    {
        static float Band(float x) => Smoothstep(-0.08f, 0.08f, MathF.Sin(x * 9));
        var weave = 1 + (0.07f * MathF.Sin(p.X * 160) * MathF.Sin(p.Y * 160));
        return Vector3.Lerp(Surface.Rgb("E9E2D6"), Surface.Rgb("B3303A"), (Band(p.X) + Band(p.Y)) / 2) * weave;
    }

    private static Vector3 Veins(Vector2 p)
    {
        var warp = Noise.Fractal(new(1.1f * p.X, 1.1f * p.Y, 5), 5);
        var vein = MathF.Pow(1 - MathF.Abs(MathF.Sin((1.6f * p.X) + (0.9f * p.Y) + (4.5f * warp))), 6);
        return Vector3.Lerp(Surface.Rgb("D6D4D0"), Surface.Rgb("7E858C"), (0.55f * vein) + (0.12f * (0.5f + warp)));
    }

    private static Vector3 Lawn(Vector2 p)
    {
        var tufts = Noise.Fractal(new(5 * p.X, 5 * p.Y, 0), 4);
        var blades = Noise.Fractal(new(44 * p.X, 15 * p.Y, 7), 3);
        var color = Vector3.Lerp(Surface.Rgb("2F4F26"), Surface.Rgb("728F45"), 0.5f + (0.5f * tufts) + (0.6f * blades));
        return Vector3.Max(color, Vector3.Zero);
    }
}
