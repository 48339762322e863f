using Dti.Mini.World;
using Dti.Mini.World.Styles;
using SkiaSharp;

namespace Dti.Mini.Subjects.Styles;

/// <summary>Coloured chalk on a dark green board.</summary>
internal sealed class ChalkPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _board = new(0x22, 0x3A, 0x30);
    private static readonly SKColor _chalk = new(0xF4, 0xF2, 0xE6);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        Canvas.Clear(_board);
        foreach (var piece in pieces.Where(piece => piece.Outlined))
        {
            Canvas.DrawPath(
                piece.Path,
                Rough(Paint(Mix(piece.Top, _chalk, 0.45f).WithAlpha(130), 0.008f), 0.03f, 0.006f)
            );
        }
    }

    public override void Object(SceneObject o)
    {
        Canvas.SaveLayer();
        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(part, o, colour => Mix(Mix(colour, _chalk, 0.25f), _board, 0.45f)));
        }

        // Strokes that the chalk has left out.
        var unit = Line(o, 1);
        for (var i = -40; i < 40; i++)
        {
            var gap = Rough(Paint(_board.WithAlpha(150), 0.008f * unit), 0.12f, 0.05f);
            gap.BlendMode = SKBlendMode.SrcATop;
            Canvas.DrawLine((i * 0.027f * unit) - 1.5f, -1.5f, (i * 0.027f * unit) + 1.5f, 1.5f, gap);
        }

        Canvas.Restore();
        foreach (var part in o.Shape.Parts.Where(part => part.Line == 0))
        {
            Canvas.DrawPath(part.Path, Rough(Paint(_chalk.WithAlpha(220), Line(o, 0.014f)), 0.08f, 0.025f));
        }
    }

    private SKPaint Rough(SKPaint paint, float segment, float deviation)
    {
        paint.PathEffect = Own(SKPathEffect.CreateDiscrete(segment, deviation, (uint)Scene.Seed));
        return paint;
    }
}
