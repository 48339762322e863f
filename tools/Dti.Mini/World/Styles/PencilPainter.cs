using SkiaSharp;

namespace Dti.Mini.World.Styles;

/// <summary>Coloured pencils: hatched colour on paper and loose grey lines.</summary>
internal sealed class PencilPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _paper = new(0xF8, 0xF5, 0xEC);
    private static readonly SKColor _lead = new(0x4A, 0x47, 0x4F);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        Canvas.Clear(_paper);
        foreach (var piece in pieces)
        {
            Canvas.DrawPath(piece.Path, Paint(piece, colour => Mix(colour, _paper, 0.42f)));
            if (piece.Outlined)
            {
                Canvas.DrawPath(piece.Path, Paint(_lead.WithAlpha(120), 0.006f));
            }
        }

        Hatch(new SKRect(-0.2f, -0.2f, 1.2f, 1.2f), 0.04f, 0.014f, 50, 105);
    }

    public override void Object(SceneObject o)
    {
        var unit = Line(o, 1);
        Canvas.SaveLayer();
        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(part, o, colour => Mix(colour, _paper, 0.1f)));
        }

        Hatch(new SKRect(-1.5f, -1.5f, 1.5f, 1.5f), 0.03f * unit, 0.009f * unit, -40, 85);
        Canvas.Restore();
        for (var pass = 0; pass < 2; pass++)
        {
            var loose = Own(SKPathEffect.CreateDiscrete(0.16f, 0.05f, (uint)Scene.Seed + (uint)pass));
            foreach (var part in o.Shape.Parts.Where(part => part.Line == 0))
            {
                var line = Paint(_lead.WithAlpha(200), Line(o, 0.009f));
                line.PathEffect = loose;
                Canvas.DrawPath(part.Path, line);
            }
        }
    }

    // Stripes of paper over the colour are what hatching leaves open.
    private void Hatch(SKRect area, float period, float gap, float angle, byte strength)
    {
        using var recorder = new SKPictureRecorder();
        var tile = new SKRect(0, 0, period, period);
        recorder.BeginRecording(tile).DrawRect(0, 0, gap, period, Paint(_paper.WithAlpha(strength)));
        using var picture = recorder.EndRecording();
        var paint = Paint(SKColors.White);
        paint.BlendMode = SKBlendMode.SrcATop;
        paint.Shader = Own(
            SKShader.CreatePicture(
                picture,
                SKShaderTileMode.Repeat,
                SKShaderTileMode.Repeat,
                SKFilterMode.Linear,
                SKMatrix.CreateRotationDegrees(angle),
                tile
            )
        );
        Canvas.DrawRect(area, paint);
    }
}
