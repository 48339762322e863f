using SkiaSharp;

namespace Dti.Mini.World.Styles;

/// <summary>Soft light from the upper left, round bodies, shadows on the ground.</summary>
internal sealed class PhotoPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        foreach (var piece in pieces)
        {
            Canvas.DrawPath(piece.Path, Paint(piece, colour => colour));
        }
    }

    public override void Object(SceneObject o)
    {
        Shadow(new SKColor(0x10, 0x10, 0x20, 120), 0.07f);
        Canvas.SaveLayer();
        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(part, o, colour => colour));
        }

        var light = Paint(SKColors.White);
        light.BlendMode = SKBlendMode.SrcATop;
        light.Shader = Own(
            SKShader.CreateRadialGradient(
                new SKPoint(-0.4f, -0.5f),
                1.9f,
                [
                    new SKColor(255, 255, 255, 105),
                    new SKColor(255, 255, 255, 0),
                    new SKColor(20, 10, 40, 30),
                    new SKColor(20, 10, 40, 140),
                ],
                [0, 0.35f, 0.5f, 1],
                SKShaderTileMode.Clamp
            )
        );
        Canvas.DrawRect(-1.5f, -1.5f, 3, 3, light);
        Canvas.Restore();
    }
}
