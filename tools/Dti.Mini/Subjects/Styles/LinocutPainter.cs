using Dti.Mini.World;
using Dti.Mini.World.Styles;
using SkiaSharp;

namespace Dti.Mini.Subjects.Styles;

/// <summary>A linocut: one block printed in marigold, another in black, with the marks of the gouge.</summary>
internal sealed class LinocutPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _paper = new(0xF6, 0xEE, 0xDC);
    private static readonly SKColor _black = new(0x17, 0x15, 0x16);
    private static readonly SKColor _marigold = new(0xEE, 0xA0, 0x1E);

    private readonly Dice _dice = new(scene.Seed, 4);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        Canvas.Clear(_paper);
        foreach (var piece in pieces)
        {
            var bounds = piece.Path.Bounds;
            var light = (Light(piece.Top) + Light(piece.Bottom)) / 2;
            var (ground, mark) = light < 0.5f ? (_black, _paper) : (_paper, _black);
            Canvas.DrawPath(piece.Path, Paint(ground));
            if (piece.Outlined || bounds.Width > 1)
            {
                using var restore = new SKAutoCanvasRestore(Canvas);
                Canvas.ClipPath(piece.Path, SKClipOperation.Intersect, antialias: true);
                var steep = bounds.Height > 1.5f * bounds.Width;
                Canvas.RotateDegrees(steep ? 80 : _dice.Range(-6, 6), bounds.MidX, bounds.MidY);
                Gouge(
                    SKRect.Inflate(bounds, 0.1f, 0.1f),
                    0.036f,
                    (_, y) =>
                    {
                        var t = Math.Clamp((y - bounds.Top) / bounds.Height, 0, 1);
                        var here = Light(piece.Top) + ((Light(piece.Bottom) - Light(piece.Top)) * t);
                        return (light < 0.5f ? here : 1 - here) * (piece.Outlined ? 1 : 0.6f);
                    },
                    Paint(mark)
                );
            }

            if (piece.Outlined)
            {
                Canvas.DrawPath(piece.Path, Paint(_black, 0.011f));
            }
        }
    }

    public override void Object(SceneObject o)
    {
        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(_paper, part.Line + Line(o, 0.05f)));
        }

        Canvas.SaveLayer();
        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(part, o, Ink));
        }

        var shade = Paint(_black);
        shade.BlendMode = SKBlendMode.SrcATop;
        Gouge(new SKRect(-1, -1, 1, 1), Line(o, 0.03f), (x, y) => 0.45f * (x + (0.6f * y)), shade);
        Canvas.Restore();
        foreach (var part in o.Shape.Parts.Where(part => part.Line == 0))
        {
            Canvas.DrawPath(part.Path, Paint(_black, Line(o, 0.016f)));
        }
    }

    public override void Finish()
    {
        // What the ink has missed, and the margin of the sheet.
        for (var i = 0; i < 110; i++)
        {
            var speck = Paint(_paper.WithAlpha(200));
            Canvas.DrawCircle(_dice.Range(0, 1), _dice.Range(0, 1), _dice.Range(0.001f, 0.005f), speck);
        }

        var margin = Paint(_paper, 0.06f);
        margin.PathEffect = Own(SKPathEffect.CreateDiscrete(0.05f, 0.008f, (uint)Scene.Seed));
        Canvas.DrawRect(0, 0, 1, 1, margin);
    }

    /// <summary>
    /// Rows of tapering marks, as wide as <paramref name="strength"/> says: 0 leaves none, 1 leaves no gap.
    /// </summary>
    private void Gouge(SKRect area, float pitch, Func<float, float, float> strength, SKPaint paint)
    {
        using var marks = new SKPathBuilder();
        for (var y = area.Top; y < area.Bottom; y += pitch)
        {
            for (var x = area.Left - _dice.Range(0, 4 * pitch); x < area.Right; )
            {
                var length = pitch * _dice.Range(3, 7);
                var half = 0.62f * pitch * strength(x + (length / 2), y);
                if (half > 0.08f * pitch)
                {
                    marks.MoveTo(x, y);
                    marks.QuadTo(x + (length * 0.6f), y - (2 * half), x + length, y);
                    marks.QuadTo(x + (length * 0.6f), y + (2 * half), x, y);
                    marks.Close();
                }

                x += length + (pitch * _dice.Range(0.1f, 0.6f));
            }
        }

        using var path = marks.Detach();
        Canvas.DrawPath(path, paint);
    }

    /// <summary>Dark colours in black, middle ones in marigold, light ones left to the paper.</summary>
    private static SKColor Ink(SKColor colour) =>
        Light(colour) switch
        {
            < 0.2f => _black,
            < 0.8f => _marigold,
            _ => _paper,
        };
}
