using SkiaSharp;

namespace Dti.Mini.World.Styles;

/// <summary>Thin paint with dark, uneven edges on rough paper, fading out towards the border.</summary>
internal sealed class WatercolorPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _paper = new(0xFC, 0xF8, 0xEF);

    // One channel of the noise for all, centred on no change.
    private static readonly float[] _grey =
    [
        1.15f,
        0,
        0,
        0,
        -0.07f,
        1.15f,
        0,
        0,
        0,
        -0.07f,
        1.15f,
        0,
        0,
        0,
        -0.07f,
        0,
        0,
        0,
        0,
        1,
    ];

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        Canvas.Clear(_paper);
        foreach (var piece in pieces)
        {
            var wash = Paint(piece, colour => Mix(colour, _paper, 0.25f).WithAlpha((byte)(colour.Alpha * 0.85f)));
            wash.MaskFilter = Own(SKMaskFilter.CreateBlur(SKBlurStyle.Normal, 0.012f));
            Canvas.DrawPath(piece.Path, wash);
        }
    }

    public override void Object(SceneObject o)
    {
        var wobble = Own(SKPathEffect.CreateDiscrete(0.14f, 0.045f, (uint)Scene.Seed));
        foreach (var part in o.Shape.Parts)
        {
            var cover = Paint(_paper, part.Line);
            cover.PathEffect = wobble;
            Canvas.DrawPath(part.Path, cover);

            var wash = Paint(part, o, colour => Mix(colour, _paper, 0.1f));
            wash.PathEffect = wobble;
            Canvas.DrawPath(part.Path, wash);
            if (part.Line == 0)
            {
                var edge = Paint(
                    Mix(Colour(part.Ink, o.Colour.Value), SKColors.Black, 0.35f).WithAlpha(150),
                    Line(o, 0.012f)
                );
                edge.PathEffect = wobble;
                Canvas.DrawPath(part.Path, edge);
            }
        }
    }

    public override void Finish()
    {
        var blots = Paint(SKColors.White);
        blots.BlendMode = SKBlendMode.SoftLight;
        blots.ColorFilter = Own(SKColorFilter.CreateColorMatrix(_grey));
        blots.Shader = Own(SKShader.CreatePerlinNoiseFractalNoise(0.055f, 0.055f, 3, Scene.Seed % 10_000));
        using (new SKAutoCanvasRestore(Canvas))
        {
            Canvas.ResetMatrix(); // the noise is in pixels
            Canvas.DrawRect(0, 0, SceneRenderer.Side, SceneRenderer.Side, blots);
        }

        var fade = Paint(SKColors.White);
        fade.Shader = Own(
            SKShader.CreateRadialGradient(
                new SKPoint(0.5f, 0.5f),
                0.76f,
                [_paper.WithAlpha(0), _paper.WithAlpha(0), _paper.WithAlpha(240)],
                [0, 0.72f, 1],
                SKShaderTileMode.Clamp
            )
        );
        Canvas.DrawRect(0, 0, 1, 1, fade);
    }
}
