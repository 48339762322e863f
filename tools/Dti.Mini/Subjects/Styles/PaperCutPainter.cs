using Dti.Mini.World;
using Dti.Mini.World.Styles;
using SkiaSharp;

namespace Dti.Mini.Subjects.Styles;

/// <summary>Layers of coloured paper, cut with scissors: each has a pale edge and casts a shadow on the next.</summary>
internal sealed class PaperCutPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _core = new(0xFF, 0xFB, 0xF2);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        foreach (var piece in pieces)
        {
            var paper = Paint(Vivid(Mix(piece.Top, piece.Bottom, 0.4f)));
            if (piece.Top.Alpha < 255)
            {
                Canvas.DrawPath(piece.Path, paper); // tissue
                continue;
            }

            Lay(piece.Path, paper, 1);
        }
    }

    public override void Object(SceneObject o)
    {
        foreach (var part in o.Shape.Parts)
        {
            Lay(part.Path, Paint(part, o, Vivid), Line(o, 1));
        }
    }

    public override void Finish()
    {
        var fibres = Paint(SKColors.White.WithAlpha(130));
        fibres.BlendMode = SKBlendMode.SoftLight;
        fibres.Shader = Own(SKShader.CreatePerlinNoiseFractalNoise(0.35f, 0.35f, 2, Scene.Seed % 10_000));
        using var restore = new SKAutoCanvasRestore(Canvas);
        Canvas.ResetMatrix(); // the noise is in pixels
        Canvas.DrawRect(0, 0, SceneRenderer.Side, SceneRenderer.Side, fibres);
    }

    /// <summary>One sheet: its shadow, its cut edge, its face.</summary>
    /// <param name="path">The outline.</param>
    /// <param name="face">What it is painted with.</param>
    /// <param name="unit">The side of the picture in units of the canvas.</param>
    private void Lay(SKPath path, SKPaint face, float unit)
    {
        var isTiny = Math.Max(path.Bounds.Width, path.Bounds.Height) < 0.1f * unit;
        var scissors = isTiny ? null : Own(SKPathEffect.CreateDiscrete(0.04f * unit, 0.003f * unit, (uint)Scene.Seed));
        var shadow = Paint(new SKColor(0x18, 0x10, 0x28, 165), face.StrokeWidth);
        shadow.PathEffect = scissors;
        shadow.MaskFilter = Own(SKMaskFilter.CreateBlur(SKBlurStyle.Normal, 0.014f * unit));
        using (new SKAutoCanvasRestore(Canvas))
        {
            Canvas.Translate(0.018f * unit, 0.03f * unit);
            Canvas.DrawPath(path, shadow);
        }

        var edge = Paint(_core, face.StrokeWidth);
        edge.PathEffect = scissors;
        using (new SKAutoCanvasRestore(Canvas))
        {
            Canvas.Translate(-0.005f * unit, -0.006f * unit);
            Canvas.DrawPath(path, edge);
        }

        face.PathEffect = scissors;
        Canvas.DrawPath(path, face);
    }

    /// <summary>The strong colours of craft paper.</summary>
    private static SKColor Vivid(SKColor colour)
    {
        colour.ToHsl(out var hue, out var saturation, out var lightness);
        return SKColor.FromHsl(
            hue,
            saturation < 12 ? saturation : Math.Min(92, saturation + 22),
            Math.Min(96, lightness * 0.94f),
            colour.Alpha
        );
    }
}
