using System.Globalization;
using System.Text;

namespace Dti.Cli.Demo;

/// <summary>
/// A small line chart as inline SVG. It does not use a plotting library, because its text is then the page's
/// text (no fonts needed on the machine that creates it) and its colours follow the page's light or dark theme.
/// </summary>
internal static class LineChart
{
    private const double Width = 320,
        Height = 190,
        Left = 44,
        Right = 8,
        Top = 8,
        Bottom = 26;

    /// <summary>One line of the chart.</summary>
    /// <param name="Name">For the legend.</param>
    /// <param name="Style">CSS class that colours it.</param>
    /// <param name="Points">From left to right.</param>
    internal sealed record Series(string Name, string Style, IReadOnlyList<(double X, double Y)> Points);

    /// <summary>The chart as SVG.</summary>
    /// <param name="title">What it shows.</param>
    /// <param name="leastSpan">Least height of the y axis, relative to its middle, so that rounding does not look like
    /// change.</param>
    /// <param name="series">At least one line with at least one point; values that are not finite are left out.</param>
    public static string Draw(string title, double leastSpan, params IReadOnlyList<Series> series)
    {
        var points = series.SelectMany(line => line.Points).Where(IsFinite).ToList();
        if (points.Count == 0)
            return "";

        var x = Axis.Over(points.Min(point => point.X), points.Max(point => point.X), 0);
        var y = Axis.Over(points.Min(point => point.Y), points.Max(point => point.Y), leastSpan);
        var svg = new StringBuilder();
        svg.Append(Invariant($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Html.Text(title)}\">"));
        foreach (var tick in y.Ticks())
        {
            svg.Append(
                Invariant(
                    $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick):F1}\" y2=\"{Y(tick):F1}\"/>"
                )
            );
            svg.Append(
                Invariant($"<text x=\"{Left - 8}\" y=\"{Y(tick) + 4:F1}\" text-anchor=\"end\">{y.Label(tick)}</text>")
            );
        }

        foreach (var tick in x.Ticks())
            svg.Append(
                Invariant(
                    $"<text x=\"{X(tick):F1}\" y=\"{Height - Bottom + 20}\" text-anchor=\"middle\">{x.Label(tick)}</text>"
                )
            );
        foreach (var line in series)
        {
            var path = string.Join(
                " ",
                line.Points.Where(IsFinite).Select(point => Invariant($"{X(point.X):F1},{Y(point.Y):F1}"))
            );
            svg.Append(
                Invariant(
                    $"<polyline class=\"{line.Style}\" points=\"{path}\"><title>{Html.Text(line.Name)}</title></polyline>"
                )
            );
        }

        return svg.Append("</svg>").ToString();

        double X(double value) => Left + ((Width - Left - Right) * x.Position(value));
        double Y(double value) => Height - Bottom - ((Height - Top - Bottom) * y.Position(value));
    }

    private static bool IsFinite((double X, double Y) point) => double.IsFinite(point.X) && double.IsFinite(point.Y);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    /// <summary>A range with ticks at round numbers.</summary>
    internal readonly record struct Axis(double Low, double High)
    {
        public static Axis Over(double low, double high, double leastSpan)
        {
            var middle = (low + high) / 2;
            var span = Math.Max(high - low, Math.Max(Math.Abs(middle) * leastSpan, 1e-9));
            return high - low >= span ? new Axis(low, high) : new Axis(middle - (span / 2), middle + (span / 2));
        }

        public double Position(double value) => (value - Low) / (High - Low);

        public IEnumerable<double> Ticks()
        {
            var step = Step();
            for (var i = Math.Ceiling(Low / step); i * step <= High + (step * 1e-6); i++)
                yield return i * step;
        }

        public string Label(double tick)
        {
            var digits = Math.Clamp((int)Math.Ceiling(-Math.Log10(Step()) - 1e-9), 0, 8);
            return Math.Round(tick, digits)
                .ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        }

        // 1, 2 or 5 times a power of ten, for about five ticks.
        private double Step()
        {
            var rough = (High - Low) / 5;
            var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
            return power
                * (
                    (rough / power) switch
                    {
                        <= 1 => 1,
                        <= 2 => 2,
                        <= 5 => 5,
                        _ => 10,
                    }
                );
        }
    }
}
