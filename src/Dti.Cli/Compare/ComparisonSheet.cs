using Dti.Server.Jobs;
using SkiaSharp;

namespace Dti.Cli.Compare;

/// <summary>A row of a sheet.</summary>
/// <param name="Label">Shown at its left.</param>
/// <param name="Images">Image files by column; null: an empty cell.</param>
internal sealed record SheetRow(string Label, IReadOnlyList<byte[]?> Images);

/// <summary>Images in rows and columns with labels, as one PNG.</summary>
internal static class ComparisonSheet
{
    private const int Cell = 192;
    private const int Gap = 6;
    private const int LabelWidth = 150;
    private const int LineHeight = 17;
    private const int HeaderLines = 4;
    private const int HeaderHeight = (HeaderLines * LineHeight) + Gap;

    /// <summary>Draws a sheet.</summary>
    /// <param name="columns">Labels of the columns.</param>
    /// <param name="rows">At least one, with an image for each column.</param>
    public static byte[] Draw(IReadOnlyList<string> columns, IReadOnlyList<SheetRow> rows)
    {
        using var surface = SKSurface.Create(
            new SKImageInfo(
                LabelWidth + (columns.Count * (Cell + Gap)),
                HeaderHeight + (rows.Count * (Cell + Gap)),
                SKColorType.Rgba8888,
                SKAlphaType.Opaque
            )
        );
        surface.Canvas.Clear(SKColors.White);
        using var font = new SKFont(PlotFont.Typeface, 13);
        using var ink = new SKPaint { Color = new SKColor(0x22, 0x22, 0x22), IsAntialias = true };
        foreach (var (column, label) in columns.Index())
            DrawText(label, Left(column), LineHeight, Cell);
        foreach (var (number, row) in rows.Index())
        {
            var top = HeaderHeight + (number * (Cell + Gap));
            DrawText(row.Label, Gap, top + (Cell / 2), LabelWidth - (2 * Gap));
            foreach (var (column, file) in row.Images.Index())
                DrawImage(file, Left(column), top);
        }

        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();

        static int Left(int column) => LabelWidth + (column * (Cell + Gap));

        void DrawText(string text, float x, float y, float width)
        {
            foreach (var line in Wrap(text, font, width).Take(HeaderLines))
            {
                surface.Canvas.DrawText(line, x, y, SKTextAlign.Left, font, ink);
                y += LineHeight;
            }
        }

        void DrawImage(byte[]? file, int x, int y)
        {
            if (file is null)
                return;
            using var data = SKData.CreateCopy(file);
            using var image = SKImage.FromEncodedData(data);
            var scale = Math.Min((float)Cell / image.Width, (float)Cell / image.Height);
            surface.Canvas.DrawImage(
                image,
                SKRect.Create(x, y, image.Width * scale, image.Height * scale),
                new SKSamplingOptions(SKCubicResampler.Mitchell)
            );
        }
    }

    private static List<string> Wrap(string text, SKFont font, float width)
    {
        var lines = new List<string>();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (lines.Count > 0 && font.MeasureText($"{lines[^1]} {word}") <= width)
                lines[^1] += $" {word}";
            else
                lines.Add(word);
        }

        return lines;
    }
}
