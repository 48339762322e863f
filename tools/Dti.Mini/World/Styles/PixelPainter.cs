using SkiaSharp;

namespace Dti.Mini.World.Styles;

/// <summary>Hard pixels, few colours, dark outlines. The renderer draws at half size and doubles the pixels.</summary>
internal sealed class PixelPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _outline = new(0x1C, 0x16, 0x28);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        foreach (var piece in pieces)
        {
            Canvas.DrawPath(piece.Path, Paint(piece, Console));
        }
    }

    public override void Object(SceneObject o)
    {
        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(_outline, part.Line + Line(o, 0.03f)));
        }

        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(part, o, Console));
        }
    }

    /// <summary>The nearest colour of an old console: five levels a channel.</summary>
    private static SKColor Console(SKColor colour) =>
        new(Level(colour.Red), Level(colour.Green), Level(colour.Blue), colour.Alpha);

    private static byte Level(byte value) => (byte)(Math.Round(value / 51.0) * 51);
}
