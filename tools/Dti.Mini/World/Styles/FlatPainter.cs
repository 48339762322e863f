using SkiaSharp;

namespace Dti.Mini.World.Styles;

/// <summary>Even colours without light or lines, as on a poster.</summary>
internal sealed class FlatPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        foreach (var piece in pieces)
        {
            Canvas.DrawPath(piece.Path, Paint(Poster(Mix(piece.Top, piece.Bottom, 0.4f))));
        }
    }

    public override void Object(SceneObject o)
    {
        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(part, o, colour => colour));
        }
    }

    // Pastel: nothing of a photo's depth is left behind the objects.
    private static SKColor Poster(SKColor colour) => Mix(colour, new SKColor(0xFF, 0xF1, 0xE0), 0.28f);
}
