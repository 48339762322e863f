using Dti.Mini.World;
using Dti.Mini.World.Styles;
using SkiaSharp;

namespace Dti.Mini.Subjects.Styles;

/// <summary>Glowing panes between thick lines of lead.</summary>
internal sealed class StainedGlassPainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _lead = new(0x14, 0x12, 0x18);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        foreach (var piece in pieces)
        {
            Canvas.DrawPath(piece.Path, Paint(piece, Vivid));
            if (piece.Outlined)
            {
                Canvas.DrawPath(piece.Path, Paint(_lead, 0.016f));
            }
        }

        // The rays of the window.
        var dice = new Dice(Scene.Seed, 3);
        for (var i = 0; i < 7; i++)
        {
            var angle = (i + dice.Range(0, 0.6f)) * MathF.Tau / 7;
            Canvas.DrawLine(0.5f, 0.45f, 0.5f + MathF.Cos(angle), 0.45f + MathF.Sin(angle), Paint(_lead, 0.013f));
        }
    }

    public override void Object(SceneObject o)
    {
        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(_lead, part.Line + Line(o, 0.032f)));
        }

        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(part, o, Vivid));
            if (part.Line == 0)
            {
                Canvas.DrawPath(part.Path, Paint(_lead, Line(o, 0.014f)));
            }
        }
    }

    public override void Finish()
    {
        var sun = Paint(SKColors.White);
        sun.BlendMode = SKBlendMode.SoftLight;
        sun.Shader = Own(
            SKShader.CreateRadialGradient(
                new SKPoint(0.5f, 0.4f),
                0.75f,
                [new SKColor(255, 250, 225, 255), new SKColor(20, 10, 50, 200)],
                SKShaderTileMode.Clamp
            )
        );
        Canvas.DrawRect(0, 0, 1, 1, sun);
    }

    private static SKColor Vivid(SKColor colour)
    {
        colour.ToHsl(out var hue, out var saturation, out var lightness);
        return SKColor.FromHsl(hue, Math.Min(100, saturation + 35), Math.Clamp(lightness, 22, 72), colour.Alpha);
    }
}
