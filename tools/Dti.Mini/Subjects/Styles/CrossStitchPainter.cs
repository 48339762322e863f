using Dti.Mini.World;
using Dti.Mini.World.Styles;
using SkiaSharp;

namespace Dti.Mini.Subjects.Styles;

/// <summary>Cross-stitch embroidery on linen: whole crosses of thread, and outlines in backstitch.</summary>
internal sealed class CrossStitchPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    /// <summary>Pixels along each side of a stitch.</summary>
    private const int Pitch = 5;

    private static readonly SKColor _linen = new(0xEF, 0xE4, 0xCE);
    private static readonly SKColor _hole = new(0xB9, 0xA6, 0x84);
    private static readonly SKColor _outline = new(0x33, 0x24, 0x2E);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        Linen();
        foreach (var (i, piece) in pieces.Index())
        {
            if (i == 0 && Light(piece.Bottom) > 0.5f)
            {
                continue; // a light sky is left to the linen
            }

            if (i == 0)
            {
                // A dark one is stitched on cloth of its colour.
                Canvas.DrawPath(piece.Path, Paint(piece, colour => Mix(colour, _linen, 0.55f)));
            }

            Stitch(piece.Path, tone => Paint(piece, colour => tone(Mix(colour, _linen, 0.2f))));
        }
    }

    public override void Object(SceneObject o)
    {
        foreach (var part in o.Shape.Parts)
        {
            var cloth = Paint(part, o, colour => Mix(colour, _linen, 0.55f));
            Canvas.DrawPath(part.Path, cloth);
            using var area = part.Line > 0 ? cloth.GetFillPath(part.Path) : null;
            Stitch(area ?? part.Path, tone => Paint(part, o, tone));
        }

        var dashes = Own(SKPathEffect.CreateDash([Line(o, 0.03f), Line(o, 0.009f)], 0));
        foreach (var part in o.Shape.Parts.Where(part => part.Line == 0))
        {
            var backstitch = Paint(_outline, Line(o, 0.0105f));
            backstitch.StrokeCap = SKStrokeCap.Butt;
            backstitch.PathEffect = dashes;
            Canvas.DrawPath(part.Path, backstitch);
        }
    }

    /// <summary>Fills an area with the crosses whose centres it contains.</summary>
    private void Stitch(SKPath area, Func<Func<SKColor, SKColor>, SKPaint> thread)
    {
        var toArea = Canvas.TotalMatrix.Invert();
        using var under = new SKPathBuilder();
        using var over = new SKPathBuilder();
        for (var y = -2; y < SceneRenderer.Side + Pitch; y += Pitch)
        {
            for (var x = -2; x < SceneRenderer.Side + Pitch; x += Pitch)
            {
                var centre = toArea.MapPoint(x, y);
                if (area.Contains(centre.X, centre.Y))
                {
                    const float arm = (Pitch - 2) / 2f;
                    under.MoveTo(toArea.MapPoint(x - arm, y + arm));
                    under.LineTo(toArea.MapPoint(x + arm, y - arm));
                    over.MoveTo(toArea.MapPoint(x - arm, y - arm));
                    over.LineTo(toArea.MapPoint(x + arm, y + arm));
                }
            }
        }

        Draw(under, thread(colour => Mix(colour, SKColors.Black, 0.1f)));
        Draw(over, thread(colour => colour));

        void Draw(SKPathBuilder stitches, SKPaint paint)
        {
            using var path = stitches.Detach();
            paint.Style = SKPaintStyle.Stroke;
            paint.StrokeWidth = toArea.MapRadius(1.45f);
            Canvas.DrawPath(path, paint);
        }
    }

    /// <summary>The cloth with a hole at each corner of a stitch.</summary>
    private void Linen()
    {
        Canvas.Clear(_linen);
        using var restore = new SKAutoCanvasRestore(Canvas);
        Canvas.ResetMatrix(); // the weave is in pixels
        for (var y = 0.5f; y < SceneRenderer.Side; y += Pitch)
        {
            for (var x = 0.5f; x < SceneRenderer.Side; x += Pitch)
            {
                Canvas.DrawCircle(x, y, 0.75f, Paint(_hole));
            }
        }
    }
}
