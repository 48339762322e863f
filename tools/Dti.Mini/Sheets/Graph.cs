using ScottPlot;

namespace Dti.Mini.Sheets;

/// <summary>A line or a set of points of a graph.</summary>
/// <param name="Name">In the legend; empty: not there.</param>
/// <param name="X">Positions.</param>
/// <param name="Y">Values.</param>
/// <param name="Error">Half of each value's confidence interval; null: none.</param>
/// <param name="Joined">Whether a line joins the points.</param>
internal sealed record Series(string Name, double[] X, double[] Y, double[]? Error = null, bool Joined = true);

/// <summary>Graphs of measurements, as WebP files. Their text needs one of two fonts on the machine.</summary>
internal static class Graph
{
    private const int Width = 560;
    private const int Height = 340;
    private const string Font = "dti";

    // This build of Skia finds no font by its name.
    private static readonly string[] _fonts =
    [
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        @"C:\Windows\Fonts\segoeui.ttf",
    ];
    private static readonly Color[] _colours =
    [
        Color.FromHex("#b4532a"),
        Color.FromHex("#2a66cc"),
        Color.FromHex("#359b45"),
        Color.FromHex("#823fb0"),
        Color.FromHex("#8c5a1c"),
        Color.FromHex("#555555"),
    ];

    static Graph()
    {
        if (_fonts.FirstOrDefault(File.Exists) is { } file)
        {
            Fonts.AddFontFile(Font, file);
        }
    }

    /// <summary>Draws one graph per panel, side by side.</summary>
    public static void Write(string path, params IReadOnlyList<Plot> panels)
    {
        var multiplot = new Multiplot();
        multiplot.RemovePlot(multiplot.GetPlot(0));
        foreach (var panel in panels)
        {
            multiplot.AddPlot(panel);
        }

        multiplot.Layout = new ScottPlot.MultiplotLayouts.Columns();
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using var image = multiplot.Render(Width * panels.Count, Height);
        File.WriteAllBytes(path, image.GetImageBytes(ImageFormat.Webp, 90));
    }

    /// <summary>A graph.</summary>
    /// <param name="x">Label of the horizontal axis.</param>
    /// <param name="y">Label of the vertical one.</param>
    /// <param name="series">What it shows.</param>
    /// <param name="ticks">Positions on the horizontal axis and what is written there; null: as the values ask.</param>
    public static Plot Of(
        string x,
        string y,
        IEnumerable<Series> series,
        IReadOnlyList<(double Position, string Label)>? ticks = null
    )
    {
        var plot = new Plot();
        plot.XLabel(x);
        plot.YLabel(y);
        foreach (var (i, one) in series.Index())
        {
            var scatter = plot.Add.Scatter(one.X, one.Y);
            scatter.LegendText = one.Name;
            scatter.Color = _colours[i];
            scatter.LineWidth = one.Joined ? 2 : 0;
            scatter.MarkerSize = one.Joined ? 0 : 9;
            if (one.Error is not null)
            {
                scatter.MarkerSize = 8;
                plot.Add.ErrorBar(one.X, one.Y, one.Error).Color = scatter.Color;
            }
        }

        if (ticks is not null)
        {
            plot.Axes.Bottom.SetTicks([.. ticks.Select(tick => tick.Position)], [.. ticks.Select(tick => tick.Label)]);
        }

        plot.ShowLegend(Edge.Right);
        plot.Font.Set(Font);
        return plot;
    }
}
