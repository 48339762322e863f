using Dti.Mini.World.Styles;
using SkiaSharp;

namespace Dti.Mini.World;

/// <summary>Renders scenes. The same scene gives the same bytes on every machine of one kind.</summary>
internal static class SceneRenderer
{
    /// <summary>Pixels along each side of a picture.</summary>
    public const int Side = 128;

    /// <summary>Bytes of a picture: (Side, Side, 3).</summary>
    public const int Bytes = Side * Side * 3;

    /// <summary>Renders a scene.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="pixels">(Side, Side, 3) bytes, written.</param>
    public static void Render(Scene scene, Span<byte> pixels) => Render(scene, Painter.For, pixels);

    /// <summary>Renders a scene with a painter of its own instead of its style's.</summary>
    public static void Render(Scene scene, Func<SKCanvas, Scene, Painter> painter, Span<byte> pixels)
    {
        // Big pixels are drawn at half size and doubled.
        var block = scene.Style == Style.Pixel ? 2 : 1;
        var side = Side / block;
        using var bitmap = new SKBitmap(new SKImageInfo(side, side, SKColorType.Rgba8888, SKAlphaType.Premul));
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Scale(side);
            Paint(canvas, scene, painter);
        }

        var source = bitmap.GetPixelSpan();
        var grain = scene.Style is Style.Photo or Style.Pencil ? 5 : 0;
        var dice = new Dice(scene.Seed, 1);
        for (var y = 0; y < Side; y++)
        {
            for (var x = 0; x < Side; x++)
            {
                var from = source.Slice(4 * ((y / block * side) + (x / block)), 3);
                var noise = grain > 0 ? dice.Int((2 * grain) + 1) - grain : 0;
                for (var channel = 0; channel < 3; channel++)
                {
                    pixels[(3 * ((y * Side) + x)) + channel] = (byte)Math.Clamp(from[channel] + noise, 0, 255);
                }
            }
        }
    }

    private static void Paint(SKCanvas canvas, Scene scene, Func<SKCanvas, Scene, Painter> choose)
    {
        using var painter = choose(canvas, scene);
        using (new SKAutoCanvasRestore(canvas))
        {
            var camera = scene.Camera;
            canvas.Translate(0.5f + camera.ShiftX, 0.5f + camera.ShiftY);
            canvas.RotateDegrees(camera.Angle);
            canvas.Scale(camera.Zoom);
            canvas.Translate(-0.5f, -0.5f);
            painter.Backdrop(Backdrops.Draw(scene.Place, new Dice(scene.Seed, 2)));
            if (scene.Lighting == Lighting.Fog)
            {
                canvas.DrawColor(new SKColor(0xE4, 0xE8, 0xEC, 150), SKBlendMode.SrcOver);
            }

            foreach (var o in scene.BackToFront)
            {
                using var restore = new SKAutoCanvasRestore(canvas);
                canvas.Translate(o.X, o.Foot);
                canvas.RotateDegrees(o.Tilt);
                canvas.Scale(o.Extent / 2);
                canvas.Translate(0, -1);
                painter.Object(o);
            }
        }

        switch (scene.Lighting)
        {
            case Lighting.Evening:
                canvas.DrawColor(new SKColor(0xFF, 0xCF, 0x96), SKBlendMode.Multiply);
                break;
            case Lighting.Dusk:
                canvas.DrawColor(new SKColor(0x8C, 0x96, 0xC8), SKBlendMode.Multiply);
                break;
            case Lighting.Fog:
                canvas.DrawColor(new SKColor(0xE4, 0xE8, 0xEC, 40), SKBlendMode.SrcOver);
                break;
        }

        painter.Finish();
    }
}
