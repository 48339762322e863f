using System.Numerics;
using Dti.Mini.World.Shapes;
using SkiaSharp;

namespace Dti.Mini.World;

/// <summary>What a cell of a picture shows of an object.</summary>
/// <param name="Object">The object.</param>
/// <param name="At">Where in the object's box the cell's centre lies, each axis −1 to 1.</param>
internal readonly record struct ObjectCell(SceneObject Object, Vector2 At);

/// <summary>
/// Which object is seen in each cell of a grid over a picture: the foremost whose outline holds the cell's centre.
/// </summary>
internal static class SceneMap
{
    private const int Fineness = 64;
    private static readonly Dictionary<string, bool[]> _outlines = ShapeCatalogue.All.ToDictionary(
        shape => shape.Name,
        Outline,
        StringComparer.Ordinal
    );

    /// <summary>The objects of all cells, row by row; null where there is none.</summary>
    /// <param name="scene">A scene of shapes of the catalogue.</param>
    /// <param name="side">Cells along each side.</param>
    public static ObjectCell?[] Of(Scene scene, int side)
    {
        var cells = new ObjectCell?[side * side];
        var camera = CameraMatrix(scene.Camera);
        foreach (var o in scene.BackToFront)
        {
            var outline = o.Designed is null ? _outlines[o.Shape.Name] : Outline(o.Shape);
            _ = Matrix3x2.Invert(BoxMatrix(o) * camera, out var toBox);
            for (var i = 0; i < cells.Length; i++)
            {
                var at = Vector2.Transform(new Vector2(((i % side) + 0.5f) / side, ((i / side) + 0.5f) / side), toBox);
                if (MathF.Abs(at.X) < 1 && MathF.Abs(at.Y) < 1 && outline[Index(at)])
                {
                    cells[i] = new ObjectCell(o, at);
                }
            }
        }

        return cells;
    }

    private static int Index(Vector2 at) =>
        ((int)((at.Y + 1) * Fineness / 2) * Fineness) + (int)((at.X + 1) * Fineness / 2);

    // As SceneRenderer moves its canvas.
    private static Matrix3x2 BoxMatrix(SceneObject o) =>
        Matrix3x2.CreateTranslation(0, -1)
        * Matrix3x2.CreateScale(o.Extent / 2)
        * Matrix3x2.CreateRotation(o.Tilt * MathF.PI / 180)
        * Matrix3x2.CreateTranslation(o.X, o.Foot);

    private static Matrix3x2 CameraMatrix(Camera camera) =>
        Matrix3x2.CreateTranslation(-0.5f, -0.5f)
        * Matrix3x2.CreateScale(camera.Zoom)
        * Matrix3x2.CreateRotation(camera.Angle * MathF.PI / 180)
        * Matrix3x2.CreateTranslation(0.5f + camera.ShiftX, 0.5f + camera.ShiftY);

    private static bool[] Outline(Shape shape)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(Fineness, Fineness, SKColorType.Alpha8, SKAlphaType.Premul));
        using var canvas = new SKCanvas(bitmap);
        canvas.Scale(Fineness / 2f);
        canvas.Translate(1, 1);
        foreach (var part in shape.Parts)
        {
            using var paint = new SKPaint
            {
                Style = part.Line > 0 ? SKPaintStyle.Stroke : SKPaintStyle.Fill,
                StrokeWidth = part.Line,
            };
            canvas.DrawPath(part.Path, paint);
        }

        canvas.Flush();
        return [.. bitmap.GetPixelSpan().ToArray().Select(alpha => alpha > 0)];
    }
}
