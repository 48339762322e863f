using System.Globalization;

namespace Dti.Bench;

/// <summary>Results, as Markdown and as CSV.</summary>
internal sealed class Table(params string[] headings)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells)
    {
        _rows.Add(cells);
        Console.WriteLine(Line(cells));
    }

    public string Markdown() =>
        string.Join('\n', [Line(headings), Line([.. headings.Select(_ => "---")]), .. _rows.Select(Line), ""]);

    /// <summary>Writes NAME.md and NAME.csv beside the benchmarks.</summary>
    public void Save(string name, string introduction)
    {
        var path = Path.Combine(Folders.Bench, name);
        File.WriteAllText(path + ".md", $"{introduction}\n\n{Markdown()}");
        File.WriteAllLines(path + ".csv", [CsvLine(headings), .. _rows.Select(CsvLine)]);
        Console.WriteLine($"Wrote {path}.md and .csv.");
    }

    public static string Mebibytes(long bytes) =>
        (bytes / 1024.0 / 1024.0).ToString("F0", CultureInfo.InvariantCulture);

    public static string Seconds(double seconds) => seconds.ToString("G3", CultureInfo.InvariantCulture);

    public static string Ratio(double ratio) => ratio.ToString("F2", CultureInfo.InvariantCulture);

    private static string CsvLine(string[] cells) =>
        string.Join(',', cells.Select(cell => cell.Contains(',', StringComparison.Ordinal) ? $"\"{cell}\"" : cell));

    private static string Line(string[] cells) => $"| {string.Join(" | ", cells)} |";
}
