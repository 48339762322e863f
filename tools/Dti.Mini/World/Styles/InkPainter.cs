using SkiaSharp;

namespace Dti.Mini.World.Styles;

/// <summary>Thick black outlines over pale washes, as in a comic.</summary>
internal sealed class InkPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _paper = new(0xFD, 0xFB, 0xF4);
    private static readonly SKColor _ink = new(0x15, 0x12, 0x18);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        Canvas.Clear(_paper);
        foreach (var piece in pieces)
        {
            Canvas.DrawPath(piece.Path, Paint(piece, colour => Mix(colour, _paper, 0.55f)));
            if (piece.Outlined)
            {
                Canvas.DrawPath(piece.Path, Paint(_ink, 0.009f));
            }
        }
    }

    public override void Object(SceneObject o)
    {
        var width = Line(o, 0.02f);
        foreach (var part in o.Shape.Parts)
        {
            if (part.Line > 0)
            {
                Canvas.DrawPath(part.Path, Paint(_ink, part.Line + width));
            }

            Canvas.DrawPath(part.Path, Paint(part, o, colour => Mix(colour, _paper, 0.08f)));
            if (part.Line == 0)
            {
                Canvas.DrawPath(part.Path, Paint(_ink, width));
            }
        }
    }
}
