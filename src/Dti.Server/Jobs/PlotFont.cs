using ScottPlot;
using SkiaSharp;

namespace Dti.Server.Jobs;

/// <summary>
/// The font of plots. The build of Skia that ships with Dti finds none by its name, so one of a few usual files is
/// taken; without any, plots have no text.
/// </summary>
public static class PlotFont
{
    private const string Name = "dti";

    static PlotFont()
    {
        if (File is not null)
        {
            Fonts.AddFontFile(Name, File);
        }
    }

    /// <summary>The font's file; null: none was found.</summary>
    public static string? File { get; } =
        new[]
        {
            "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
            "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
            "/usr/share/fonts/TTF/DejaVuSans.ttf",
            @"C:\Windows\Fonts\segoeui.ttf",
            "/System/Library/Fonts/Supplemental/Arial.ttf",
        }.FirstOrDefault(System.IO.File.Exists);

    /// <summary>
    /// The font for labels of plots. There is one per process, because Skia caches the glyphs of every font and keeps
    /// its file mapped.
    /// </summary>
    public static SKTypeface Typeface { get; } = File is null ? SKTypeface.Default : SKTypeface.FromFile(File);

    /// <summary>Gives the font to all text of a plot; last, when the text is there.</summary>
    public static void Apply(Plot plot)
    {
        ArgumentNullException.ThrowIfNull(plot);
        if (File is not null)
        {
            plot.Font.Set(Name);
        }
    }
}
