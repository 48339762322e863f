using SkiaSharp;

namespace Dti.Mini.World;

/// <summary>Short ways to write paths.</summary>
internal static class Paths
{
    /// <summary>A path in SVG's notation, in units of the object's box.</summary>
    public static SKPath Svg(string data) =>
        SKPath.ParseSvgPathData(data) ?? throw new ArgumentException($"not a path: {data}", nameof(data));

    public static SKPath Oval(float x, float y, float radiusX, float radiusY)
    {
        using var builder = new SKPathBuilder();
        builder.AddOval(new SKRect(x - radiusX, y - radiusY, x + radiusX, y + radiusY));
        return builder.Detach();
    }

    public static SKPath Circle(float x, float y, float radius) => Oval(x, y, radius, radius);

    /// <summary>A box with round corners, from its left top to its right bottom corner.</summary>
    public static SKPath Box(float left, float top, float right, float bottom, float radius = 0)
    {
        using var builder = new SKPathBuilder();
        builder.AddRoundRect(new SKRoundRect(new SKRect(left, top, right, bottom), radius));
        return builder.Detach();
    }

    /// <summary>Straight lines from point to point: x0, y0, x1, y1, …</summary>
    public static SKPath Polygon(params float[] points)
    {
        using var builder = new SKPathBuilder();
        builder.MoveTo(points[0], points[1]);
        for (var i = 2; i < points.Length; i += 2)
        {
            builder.LineTo(points[i], points[i + 1]);
        }

        builder.Close();
        return builder.Detach();
    }

    /// <summary>The same path, scaled and then moved.</summary>
    public static SKPath Moved(this SKPath path, float x, float y, float scale)
    {
        var moved = new SKPath();
        path.Transform(SKMatrix.CreateScaleTranslation(scale, scale, x, y), moved);
        return moved;
    }

    /// <summary>The same path on the other side of x = 0.</summary>
    public static SKPath Mirrored(this SKPath path)
    {
        var mirrored = new SKPath();
        path.Transform(SKMatrix.CreateScale(-1, 1), mirrored);
        return mirrored;
    }
}
