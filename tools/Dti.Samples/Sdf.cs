using System.Numerics;

namespace Dti.Samples;

/// <summary>
/// Signed distances to simple shapes, and ways to join them (after Inigo Quilez' published formulas).
/// </summary>
internal static class Sdf
{
    public static float Sphere(Vector3 p, Vector3 center, float radius) => (p - center).Length() - radius;

    public static float Ellipsoid(Vector3 p, Vector3 center, Vector3 radii)
    {
        var q = (p - center) / radii;
        var k = q.Length();
        return k * (k - 1) / Math.Max((q / radii).Length(), 1e-6f);
    }

    /// <summary>A stick from a to b that grows from one radius to the other.</summary>
    public static float Stick(Vector3 p, Vector3 a, Vector3 b, float radiusA, float radiusB)
    {
        var (pa, ba) = (p - a, b - a);
        var h = Math.Clamp(Vector3.Dot(pa, ba) / ba.LengthSquared(), 0, 1);
        return (pa - (ba * h)).Length() - float.Lerp(radiusA, radiusB, h);
    }

    /// <summary>A ring that lies flat around the y axis.</summary>
    public static float Ring(Vector3 p, Vector3 center, float radius, float thickness)
    {
        var q = p - center;
        return new Vector2(new Vector2(q.X, q.Z).Length() - radius, q.Y).Length() - thickness;
    }

    /// <summary>A smooth tube through points, and how far along it (0 to 1) the nearest point is.</summary>
    public static (float Distance, float Along) Tube(
        Vector3 p,
        ReadOnlySpan<Vector3> points,
        float radiusFirst,
        float radiusLast
    )
    {
        var (nearest, along) = (float.MaxValue, 0f);
        var parts = points.Length - 1;
        for (var i = 0; i < parts; i++)
        {
            var (pa, ba) = (p - points[i], points[i + 1] - points[i]);
            var h = Math.Clamp(Vector3.Dot(pa, ba) / ba.LengthSquared(), 0, 1);
            var t = (i + h) / parts;
            var distance = (pa - (ba * h)).Length() - float.Lerp(radiusFirst, radiusLast, t);
            if (distance < nearest)
            {
                (nearest, along) = (distance, t);
            }
        }

        return (nearest, along);
    }

    /// <summary>Five-pointed star in the plane: negative inside.</summary>
    public static float Star(Vector2 p, float radius)
    {
        const float Sector = MathF.PI / 5;
        var angle = MathF.Abs(((MathF.Atan2(p.X, p.Y) + (10 * Sector)) % (2 * Sector)) - Sector);
        var q = p.Length() * new Vector2(MathF.Cos(Sector - angle), MathF.Sin(Sector - angle));
        Vector2 tip = new(radius, 0),
            notch = 0.45f * radius * new Vector2(MathF.Cos(Sector), MathF.Sin(Sector));
        var edge = notch - tip;
        var h = Math.Clamp(Vector2.Dot(q - tip, edge) / edge.LengthSquared(), 0, 1);
        var outside = (edge.X * (q.Y - tip.Y)) - (edge.Y * (q.X - tip.X));
        return (q - tip - (edge * h)).Length() * -MathF.Sign(outside);
    }

    /// <summary>Union with a fillet of about <paramref name="k"/>.</summary>
    public static float Blend(float a, float b, float k)
    {
        var h = Math.Max(k - Math.Abs(a - b), 0) / k;
        return Math.Min(a, b) - (h * h * k / 4);
    }

    public static float Smoothstep(float low, float high, float x)
    {
        var t = Math.Clamp((x - low) / (high - low), 0, 1);
        return t * t * (3 - (2 * t));
    }
}
