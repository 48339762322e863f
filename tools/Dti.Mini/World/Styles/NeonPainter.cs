using SkiaSharp;

namespace Dti.Mini.World.Styles;

/// <summary>Glowing outlines in the dark.</summary>
internal sealed class NeonPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _night = new(0x08, 0x05, 0x12);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        foreach (var piece in pieces)
        {
            Canvas.DrawPath(piece.Path, Paint(piece, colour => Mix(colour, _night, 0.62f)));
            if (piece.Outlined)
            {
                Canvas.DrawPath(piece.Path, Paint(Mix(piece.Top, _night, 0.15f).WithAlpha(170), 0.006f));
            }
        }
    }

    public override void Object(SceneObject o)
    {
        foreach (var part in o.Shape.Parts.Where(part => part.Line == 0))
        {
            Canvas.DrawPath(part.Path, Paint(_night));
            Canvas.DrawPath(part.Path, Paint(part, o, colour => Mix(colour, _night, 0.42f)));
        }

        foreach (var part in o.Shape.Parts)
        {
            var light = Glow(Colour(part.Ink, o.Colour.Value));
            var width = part.Line > 0 ? part.Line * 0.7f : Line(o, 0.013f);
            var halo = Paint(light.WithAlpha(150), width * 3);
            halo.MaskFilter = Own(SKMaskFilter.CreateBlur(SKBlurStyle.Normal, width * 1.2f));
            halo.BlendMode = SKBlendMode.Screen;
            Canvas.DrawPath(part.Path, halo);
            Canvas.DrawPath(part.Path, Paint(light, width));
        }
    }

    // Black glows faintly, as a tube that is off.
    private static SKColor Glow(SKColor colour) =>
        colour.Red + colour.Green + colour.Blue < 160
            ? new SKColor(0x72, 0x6F, 0x86)
            : Mix(colour, SKColors.White, 0.28f);
}
