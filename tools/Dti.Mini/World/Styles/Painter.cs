using SkiaSharp;

namespace Dti.Mini.World.Styles;

/// <summary>
/// Paints backdrops and objects in one style. The canvas is in units of the picture: (0, 0) to (1, 1).
/// </summary>
internal abstract class Painter(SKCanvas canvas, Scene scene) : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    protected SKCanvas Canvas => canvas;

    protected Scene Scene => scene;

    /// <summary>The painter of a scene's style.</summary>
    public static Painter For(SKCanvas canvas, Scene scene) =>
        scene.Style switch
        {
            Style.Photo => new PhotoPainter(canvas, scene),
            Style.Flat => new FlatPainter(canvas, scene),
            Style.Ink => new InkPainter(canvas, scene),
            Style.Watercolor => new WatercolorPainter(canvas, scene),
            Style.Pixel => new PixelPainter(canvas, scene),
            Style.Pencil => new PencilPainter(canvas, scene),
            Style.Neon => new NeonPainter(canvas, scene),
            _ => throw new ArgumentOutOfRangeException(nameof(scene)),
        };

    /// <summary>Paints the place.</summary>
    public abstract void Backdrop(IReadOnlyList<BackdropPiece> pieces);

    /// <summary>Paints an object; the canvas is in units of its box.</summary>
    public abstract void Object(SceneObject o);

    /// <summary>
    /// What lies over everything: paper, hatching, a vignette. The canvas is in units of the picture, without the
    /// camera.
    /// </summary>
    public virtual void Finish() { }

    public void Dispose()
    {
        foreach (var owned in _owned)
        {
            owned.Dispose();
        }
    }

    protected T Own<T>(T disposable)
        where T : IDisposable
    {
        _owned.Add(disposable);
        return disposable;
    }

    protected SKPaint Paint(SKColor colour, float line = 0) =>
        Own(
            new SKPaint
            {
                Color = colour,
                IsAntialias = scene.Style != Style.Pixel,
                Style = line > 0 ? SKPaintStyle.Stroke : SKPaintStyle.Fill,
                StrokeWidth = line,
                StrokeCap = SKStrokeCap.Round,
                StrokeJoin = SKStrokeJoin.Round,
            }
        );

    /// <summary>A fill from top to bottom of a backdrop's piece.</summary>
    protected SKPaint Paint(BackdropPiece piece, Func<SKColor, SKColor> tone)
    {
        var paint = Paint(tone(piece.Top));
        if (piece.Top != piece.Bottom)
        {
            var bounds = piece.Path.Bounds;
            paint.Color = SKColors.White;
            paint.Shader = Own(
                SKShader.CreateLinearGradient(
                    new SKPoint(0, Math.Max(0, bounds.Top)),
                    new SKPoint(0, Math.Min(1, bounds.Bottom)),
                    [tone(piece.Top), tone(piece.Bottom)],
                    SKShaderTileMode.Clamp
                )
            );
        }

        return paint;
    }

    /// <summary>What a part is painted with, colours changed by <paramref name="tone"/>.</summary>
    protected SKPaint Paint(Part part, SceneObject o, Func<SKColor, SKColor> tone)
    {
        var colour = o.Colour.Value;
        var paint = Paint(tone(Colour(part.Ink, colour)), part.Line);
        if (part.Ink.Role == InkRole.Body && o.Pattern != Pattern.Plain)
        {
            paint.Color = SKColors.White;
            paint.Shader = Own(Patterns.Shader(o.Pattern, tone(colour), tone(o.Colour.Second), paint.IsAntialias));
        }

        return paint;
    }

    protected static SKColor Colour(Ink ink, SKColor body) =>
        ink.Role switch
        {
            InkRole.Body => body,
            InkRole.Trim => body.Red + body.Green + body.Blue < 200
                ? Mix(body, SKColors.White, 0.22f)
                : Mix(body, SKColors.Black, 0.3f),
            InkRole.Tint => Mix(body, SKColors.White, 0.5f),
            _ => ink.Colour,
        };

    /// <summary>A colour between two: 0 gives the first.</summary>
    protected static SKColor Mix(SKColor a, SKColor b, float t) =>
        new(
            (byte)(a.Red + ((b.Red - a.Red) * t)),
            (byte)(a.Green + ((b.Green - a.Green) * t)),
            (byte)(a.Blue + ((b.Blue - a.Blue) * t)),
            a.Alpha
        );

    /// <summary>How light a colour is: 0 for black, 1 for white.</summary>
    protected static float Light(SKColor colour) =>
        ((0.3f * colour.Red) + (0.59f * colour.Green) + (0.11f * colour.Blue)) / 255;

    /// <summary>A line's width in the object's box for a width in the picture.</summary>
    protected static float Line(SceneObject o, float ofPicture) => 2 * ofPicture / o.Extent;

    /// <summary>The shadow that an object casts on the ground.</summary>
    protected void Shadow(SKColor colour, float blur)
    {
        var paint = Paint(colour);
        if (blur > 0)
        {
            paint.MaskFilter = Own(SKMaskFilter.CreateBlur(SKBlurStyle.Normal, blur));
        }

        Canvas.DrawOval(0.06f, 0.97f, 0.8f, 0.11f, paint);
    }
}

/// <summary>Tiles of patterns, in units of an object's box.</summary>
internal static class Patterns
{
    public static SKShader Shader(Pattern pattern, SKColor first, SKColor second, bool smooth)
    {
        using var recorder = new SKPictureRecorder();
        var (size, angle) = pattern switch
        {
            Pattern.Striped => (0.38f, 32f),
            Pattern.Spotted => (0.46f, 12f),
            _ => (0.48f, 0f),
        };
        var tile = new SKRect(0, 0, size, size);
        var canvas = recorder.BeginRecording(tile);
        canvas.Clear(first);
        using var paint = new SKPaint { Color = second, IsAntialias = smooth };
        switch (pattern)
        {
            case Pattern.Striped:
                canvas.DrawRect(0, 0, size * 0.46f, size, paint);
                break;
            case Pattern.Spotted:
                canvas.DrawCircle(size * 0.25f, size * 0.25f, size * 0.21f, paint);
                canvas.DrawCircle(size * 0.75f, size * 0.75f, size * 0.21f, paint);
                break;
            default:
                canvas.DrawRect(0, 0, size / 2, size / 2, paint);
                canvas.DrawRect(size / 2, size / 2, size / 2, size / 2, paint);
                break;
        }

        using var picture = recorder.EndRecording();
        return SKShader.CreatePicture(
            picture,
            SKShaderTileMode.Repeat,
            SKShaderTileMode.Repeat,
            smooth ? SKFilterMode.Linear : SKFilterMode.Nearest,
            SKMatrix.CreateRotationDegrees(angle),
            tile
        );
    }
}
