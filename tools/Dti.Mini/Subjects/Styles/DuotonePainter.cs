using Dti.Mini.World;
using Dti.Mini.World.Styles;
using SkiaSharp;

namespace Dti.Mini.Subjects.Styles;

/// <summary>A print from two inks: dark teal and coral, with the dots of a coarse screen.</summary>
internal sealed class DuotonePainter(SKCanvas canvas, Scene scene) : Painter(canvas, scene)
{
    private static readonly SKColor _paper = new(0xFD, 0xF3, 0xDE);
    private static readonly SKColor _coral = new(0xF0, 0x6E, 0x5A);
    private static readonly SKColor _teal = new(0x12, 0x4B, 0x5C);

    public override void Backdrop(IReadOnlyList<BackdropPiece> pieces)
    {
        Canvas.Clear(_paper);
        foreach (var piece in pieces)
        {
            Canvas.DrawPath(piece.Path, Paint(piece, colour => Ink(colour, 0.5f)));
        }

        using var recorder = new SKPictureRecorder();
        var tile = new SKRect(0, 0, 0.04f, 0.04f);
        recorder.BeginRecording(tile).DrawCircle(0.02f, 0.02f, 0.0115f, Paint(_coral.WithAlpha(150)));
        using var picture = recorder.EndRecording();
        var screen = Paint(SKColors.White);
        screen.Shader = Own(
            SKShader.CreatePicture(
                picture,
                SKShaderTileMode.Repeat,
                SKShaderTileMode.Repeat,
                SKFilterMode.Linear,
                SKMatrix.CreateRotationDegrees(25),
                tile
            )
        );
        Canvas.DrawRect(-0.2f, -0.2f, 1.4f, 1.4f, screen);
    }

    public override void Object(SceneObject o)
    {
        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(_paper, part.Line + Line(o, 0.03f)));
        }

        foreach (var part in o.Shape.Parts)
        {
            Canvas.DrawPath(part.Path, Paint(part, o, colour => Ink(colour, 0)));
        }
    }

    /// <summary>Dark colours in teal, middle ones in coral, light ones left to the paper.</summary>
    private static SKColor Ink(SKColor colour, float fade)
    {
        var light = Light(colour);
        var ink = light < 0.5f ? Mix(_teal, _coral, light / 0.5f) : Mix(_coral, _paper, (light - 0.5f) / 0.5f);
        return Mix(ink, _paper, fade).WithAlpha(colour.Alpha);
    }
}
