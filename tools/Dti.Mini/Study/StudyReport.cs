using System.Globalization;
using Dti.Mini.Sheets;
using Dti.Mini.World;

namespace Dti.Mini.Study;

/// <summary>Tables and graphs of all results that are there.</summary>
internal static class StudyReport
{
    private static readonly string[] _designScores = ["parts", "family", "colour_error", "proportion_error", "norm"];
    private static readonly string[] _methodScores =
    [
        "text",
        "ordinary",
        "modifier",
        "object",
        "pair",
        "parts",
        "colour_error",
        "norm",
    ];

    public static void Write()
    {
        Table(DesignStudy.Results, [.. DesignStudy.Results.Rows.Select(row => row.What).Distinct()], _designScores);
        string[] official = [.. StudyMethods.Official.Select(method => method.Name)];
        Table(MethodStudy.Results, official, _methodScores, MethodStudy.Compared);
        Differences(official);
        foreach (
            var list in (IReadOnlyList<StudyMethod>[])[StudyMethods.Rates, StudyMethods.Lengths, StudyMethods.Variants]
        )
        {
            Table(MethodStudy.Results, [.. list.Select(method => method.Name)], _methodScores, MethodStudy.Tuned);
        }

        Lines(StudyMethods.Rates, "dti-mini-rates.webp", "learning rate", method => method.LearningRate);
        Lines(StudyMethods.Lengths, "dti-mini-lengths.webp", "steps", method => method.Steps);
        Between();
        Position();
    }

    /// <summary>A row per condition, with intervals over designs.</summary>
    private static void Table(
        ResultsFile results,
        IReadOnlyList<string> conditions,
        IReadOnlyList<string> scores,
        Range? designs = null
    )
    {
        var rows = conditions.Select(name => (Name: name, Designs: ByDesign(results, name, designs))).ToArray();
        if (rows.All(row => row.Designs.Count == 0))
        {
            return;
        }

        Console.WriteLine(
            $"| | designs | {string.Join(" | ", scores)} |\n|---|---|{string.Concat(scores.Select(_ => "---|"))}"
        );
        foreach (var (name, measured) in rows.Where(row => row.Designs.Count > 0))
        {
            var estimates = scores.Select(score => Estimate.Of([.. measured.Values.Select(values => values[score])]));
            Console.WriteLine($"| {name} | {measured.Count} | {string.Join(" | ", estimates)} |");
        }

        Console.WriteLine();
    }

    /// <summary>The default less each other method on the same designs.</summary>
    private static void Differences(string[] methods)
    {
        var first = ByDesign(MethodStudy.Results, methods[0], MethodStudy.Compared);
        foreach (var name in methods.Skip(1))
        {
            var other = ByDesign(MethodStudy.Results, name, MethodStudy.Compared);
            string[] shared = [.. first.Keys.Where(other.ContainsKey)];
            if (shared.Length == 0)
            {
                continue;
            }

            var differences = _methodScores
                .SkipLast(1)
                .Select(score =>
                    $"{score} {Estimate.Of([.. shared.Select(design => first[design][score] - other[design][score])])}"
                );
            Console.WriteLine($"{methods[0]} less {name}: {string.Join(", ", differences)}");
        }

        Console.WriteLine();
    }

    /// <summary>The mean over seeds of each design's values.</summary>
    /// <param name="results">The file.</param>
    /// <param name="what">The condition.</param>
    /// <param name="designs">Which held-out designs; null: all.</param>
    private static Dictionary<string, Dictionary<string, double>> ByDesign(
        ResultsFile results,
        string what,
        Range? designs
    ) =>
        results
            .Rows.Where(row => row.What == what)
            .GroupBy(row => row.Of.Split('/')[0])
            .Where(design =>
                designs is not { } range || Holds(range, int.Parse(design.Key, CultureInfo.InvariantCulture))
            )
            .ToDictionary(
                design => design.Key,
                design =>
                    design.First().Values.Keys.ToDictionary(key => key, key => design.Average(row => row.Values[key]))
            );

    private static bool Holds(Range designs, int index) => index >= designs.Start.Value && index < designs.End.Value;

    /// <summary>Text and parts against a setting, on a logarithmic scale: a line for each method.</summary>
    private static void Lines(
        IReadOnlyList<StudyMethod> methods,
        string file,
        string label,
        Func<StudyMethod, double> setting
    )
    {
        var measured = methods
            .Select(method => (Method: method, Designs: ByDesign(MethodStudy.Results, method.Name, MethodStudy.Tuned)))
            .Where(entry => entry.Designs.Count > 0)
            .GroupBy(entry => entry.Method.Name[..entry.Method.Name.LastIndexOf('-')])
            .ToArray();
        if (measured.Length == 0)
        {
            return;
        }

        Series Line(
            IEnumerable<(StudyMethod Method, Dictionary<string, Dictionary<string, double>> Designs)> points,
            string name,
            string score
        )
        {
            var estimates = points
                .Select(point => Estimate.Of([.. point.Designs.Values.Select(values => values[score])]))
                .ToArray();
            return new Series(
                name,
                [.. points.Select(point => Math.Log10(setting(point.Method)))],
                [.. estimates.Select(estimate => estimate.Mean)],
                [.. estimates.Select(estimate => estimate.Half)]
            );
        }

        var ticks = methods
            .Select(setting)
            .Distinct()
            .Select(value => (Math.Log10(value), value.ToString(CultureInfo.InvariantCulture)))
            .ToArray();
        Graph.Write(
            Path.Combine(MiniWorld.ImageFolder, file),
            [
                .. ((string[])["text", "parts"]).Select(score =>
                    Graph.Of(label, score, measured.Select(group => Line(group, group.Key, score)), ticks)
                ),
            ]
        );
    }

    /// <summary>How evenly images change between two concepts.</summary>
    private static void Between()
    {
        var ways = InterpolationStudy.Results.Rows.GroupBy(row => row.What).ToArray();
        if (ways.Length == 0)
        {
            return;
        }

        Console.WriteLine(
            "| | pairs | steps forward | largest step | parts of either, middle frame |\n|---|---|---|---|---|"
        );
        foreach (var way in ways)
        {
            var pairs = way.GroupBy(row => row.Of[..row.Of.LastIndexOf('/')])
                .Select(pair => pair.OrderBy(row => row.Values["t"]).ToArray())
                .ToArray();
            var steps = pairs
                .Select(pair => pair.Zip(pair.Skip(1), (a, b) => b.Values["progress"] - a.Values["progress"]).ToArray())
                .ToArray();
            var forward = Estimate.Of([.. steps.Select(pair => pair.Average(step => step > 0 ? 1.0 : 0))]);
            var largest = Estimate.Of([.. steps.Select(pair => pair.Max())]);
            var middle = Estimate.Of([.. pairs.Select(pair => pair[pair.Length / 2].Values["parts_either"])]);
            Console.WriteLine($"| {way.Key} | {pairs.Length} | {forward} | {largest} | {middle} |");
        }

        Console.WriteLine();
        Graph.Write(
            Path.Combine(MiniWorld.ImageFolder, "dti-mini-between.webp"),
            [
                .. ((string[])["progress", "parts_either"]).Select(score =>
                    Graph.Of(
                        "t",
                        score == "progress" ? "progress of the colours" : "parts of either design",
                        ways.Select(way =>
                        {
                            var points = way.GroupBy(row => row.Values["t"]).OrderBy(point => point.Key).ToArray();
                            return new Series(
                                way.Key,
                                [.. points.Select(point => point.Key)],
                                [.. points.Select(point => point.Average(row => row.Values[score]))]
                            );
                        })
                    )
                ),
            ]
        );
    }

    private static void Position()
    {
        var rows = PositionStudy.Results.Rows;
        if (rows.Count == 0)
        {
            return;
        }

        Series Points(string what, string value, bool joined)
        {
            var points = rows.Where(row => row.What == what).OrderBy(row => row.Values["norm"]).ToArray();
            return new Series(
                what,
                [.. points.Select(row => Math.Log2(row.Values["norm"]))],
                [.. points.Select(row => row.Values[value])],
                Joined: joined
            );
        }

        var ticks = rows.Where(row => row.What == "words")
            .Select(row =>
                (Math.Log2(row.Values["norm"]), row.Values["norm"].ToString("F2", CultureInfo.InvariantCulture))
            )
            .ToArray();
        ScottPlot.Plot Panel(string value, string label) =>
            Graph.Of(
                "norm of the embedding",
                label,
                [Points("words", value, true), Points("dti", value, false), Points("ti", value, false)],
                ticks
            );
        Graph.Write(
            Path.Combine(MiniWorld.ImageFolder, "dti-mini-position.webp"),
            Panel("predicted_right", "positions predicted"),
            Panel("variance_share", "share of variance")
        );
        foreach (var group in rows.GroupBy(row => row.What == "words" ? row.What + " × " + row.Of : row.What))
        {
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{group.Key}: norm {group.Average(row => row.Values["norm"]):F3}, predicted right {group.Average(row => row.Values["predicted_right"]):P1}, share of variance {group.Average(row => row.Values["variance_share"]):P2}"
                )
            );
        }
    }
}
