using Dti.Mini.World;
using Dti.Mini.World.Styles;
using SkiaSharp;

namespace Dti.Mini.Subjects.Styles;

/// <summary>White lines on blue paper with a grid.</summary>
internal sealed class BlueprintPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _paper = new(0x1D, 0x4A, 0x96);
    private static readonly SKColor _line = new(0xEC, 0xF4, 0xFF);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        Canvas.Clear(_paper);
        for (var i = -3; i < 20; i++)
        {
            Canvas.DrawLine(i / 16f, -0.2f, i / 16f, 1.2f, Paint(_line.WithAlpha(40), 0.004f));
            Canvas.DrawLine(-0.2f, i / 16f, 1.2f, i / 16f, Paint(_line.WithAlpha(40), 0.004f));
        }

        foreach (var piece in pieces.Where(piece => piece.Outlined))
        {
            Canvas.DrawPath(piece.Path, Paint(_line.WithAlpha(115), 0.006f));
        }
    }

    public override void Object(SceneObject o)
    {
        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(_line, part.Line + Line(o, 0.018f)));
            Canvas.DrawPath(
                part.Path,
                Paint(part, o, colour =>
                    Mix(_paper, new SKColor(0x3D, 0x74, 0xC8), (colour.Red + colour.Green + colour.Blue) / 765f)
                )
            );
        }
    }
}
