using Dti.Mini.World;
using Dti.Mini.World.Styles;
using SkiaSharp;

namespace Dti.Mini.Subjects.Styles;

/// <summary>
/// A mosaic of small stones in pale mortar, and a row of dark ones around each object. Neighbouring stones differ in
/// shade.
/// </summary>
internal sealed class MosaicPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _mortar = new(0xD8, 0xCE, 0xBC);
    private static readonly SKColor _border = new(0x2C, 0x2A, 0x38);
    private static readonly float[] _shades = [-0.2f, -0.08f, 0, 0.12f];

    private readonly Dice _dice = new(scene.Seed, 5);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        Canvas.Clear(_mortar);
        foreach (var piece in pieces)
        {
            if (piece.Top.Alpha < 255)
            {
                Canvas.DrawPath(piece.Path, Paint(piece, colour => colour)); // light on the stones
                continue;
            }

            Lay(piece.Path, 0.056f, tone => Paint(piece, colour => tone(Mix(colour, SKColors.White, 0.12f))));
        }
    }

    public override void Object(SceneObject o)
    {
        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(_mortar, part.Line + Line(o, 0.06f)));
        }

        var row = Own(SKPathEffect.CreateDash([Line(o, 0.034f), Line(o, 0.008f)], 0));
        foreach (var part in o.Shape.Parts.Where(part => part.Line == 0))
        {
            var border = Paint(_border, Line(o, 0.046f));
            border.StrokeCap = SKStrokeCap.Butt;
            border.PathEffect = row;
            Canvas.DrawPath(part.Path, border);
        }

        foreach (var part in o.Shape.Parts)
        {
            using var area = part.Line > 0 ? Paint(_mortar, part.Line).GetFillPath(part.Path) : null;
            Lay(area ?? part.Path, Line(o, 0.042f), tone => Paint(part, o, tone));
        }
    }

    /// <summary>Covers an area with stones and cuts those at its edge.</summary>
    private void Lay(SKPath area, float side, Func<Func<SKColor, SKColor>, SKPaint> stone)
    {
        using var restore = new SKAutoCanvasRestore(Canvas);
        Canvas.ClipPath(area, SKClipOperation.Intersect, antialias: true);
        var bounds = area.Bounds;
        if (Math.Min(bounds.Width, bounds.Height) < 1.6f * side)
        {
            Canvas.DrawPaint(Fill(0)); // one stone of its own
        }
        else
        {
            Canvas.DrawPaint(Paint(_mortar));
            var stones = _shades.Select(_ => Own(new SKPathBuilder())).ToArray();
            for (var y = bounds.Top; y < bounds.Bottom; y += side)
            {
                for (var x = bounds.Left; x < bounds.Right; x += side)
                {
                    AddStone(_dice.Pick(stones), x, y, side);
                }
            }

            foreach (var (shade, builder) in _shades.Zip(stones))
            {
                using var path = builder.Detach();
                Canvas.DrawPath(path, Fill(shade));
            }
        }

        Canvas.DrawPath(area, Paint(_mortar, side * 0.25f));

        SKPaint Fill(float shade)
        {
            var paint = stone(colour => Mix(colour, shade < 0 ? SKColors.Black : SKColors.White, Math.Abs(shade)));
            paint.Style = SKPaintStyle.Fill;
            return paint;
        }
    }

    private void AddStone(SKPathBuilder builder, float x, float y, float side)
    {
        float Jitter() => side * _dice.Range(0.02f, 0.18f);
        builder.MoveTo(x + Jitter(), y + Jitter());
        builder.LineTo(x + side - Jitter(), y + Jitter());
        builder.LineTo(x + side - Jitter(), y + side - Jitter());
        builder.LineTo(x + Jitter(), y + side - Jitter());
        builder.Close();
    }
}
