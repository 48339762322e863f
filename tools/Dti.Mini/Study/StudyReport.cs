using System.Globalization;
using Dti.Mini.Sheets;
using Dti.Mini.World;

namespace Dti.Mini.Study;

/// <summary>Tables and graphs of all results that are there.</summary>
internal static class StudyReport
{
    private static readonly string[] _scores =
    [
        "text",
        "place",
        "style",
        "shape",
        "colour",
        "pattern",
        "likeness",
        "likeness_simple",
        "norm",
    ];

    public static void Write()
    {
        var rows = ConceptStudy
            .Results.Rows.GroupBy(row => row.What)
            .ToDictionary(group => group.Key, group => group.ToArray());
        foreach (var prefix in new[] { "tune-", "", "kappa-", "steps-" })
        {
            var methods = StudyMethods
                .All.Where(method =>
                    rows.ContainsKey(method.Name)
                    && (
                        prefix.Length > 0
                            ? method.Name.StartsWith(prefix, StringComparison.Ordinal)
                            : StudyMethods.Compared.Contains(method)
                    )
                )
                .ToArray();
            if (methods.Length > 0)
            {
                Table(
                    methods.Select(method =>
                        (
                            method,
                            Estimates: _scores.ToDictionary(
                                score => score,
                                score => Estimate.Of([.. rows[method.Name].Select(row => row.Values[score])])
                            ),
                            rows[method.Name].Length
                        )
                    )
                );
            }
        }

        Compared(rows);
        Lines(
            rows,
            StudyMethods.Kappas,
            "dti-mini-kappa.webp",
            "κ",
            method => method.Kappa == 0 ? -6 : Math.Log10(method.Kappa!.Value),
            method => string.Create(CultureInfo.InvariantCulture, $"{method.Kappa:0.#####}")
        );
        Lines(
            rows,
            StudyMethods.StepCounts,
            "dti-mini-steps.webp",
            "steps",
            method => method.Steps,
            method => $"{method.Steps}"
        );
        StepStudy.Report();
        Between();
        Position();
    }

    private static void Table(
        IEnumerable<(StudyMethod Method, Dictionary<string, Estimate> Estimates, int Subjects)> methods
    )
    {
        Console.WriteLine(
            $"| | learning rate | subjects | {string.Join(" | ", _scores)} |\n|---|---|---|{string.Concat(_scores.Select(_ => "---|"))}"
        );
        foreach (var (method, estimates, subjects) in methods)
        {
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {method.Name} | {method.LearningRate} | {subjects} | {string.Join(" | ", _scores.Select(score => estimates[score]))} |"
                )
            );
        }

        Console.WriteLine();
    }

    /// <summary>Text score against likeness, and each method's difference to DTI on the same subjects.</summary>
    private static void Compared(Dictionary<string, (string What, string Of, Dictionary<string, double> Values)[]> rows)
    {
        if (!StudyMethods.Compared.All(method => rows.ContainsKey(method.Name)))
        {
            return;
        }

        var dti = rows["dti"].ToDictionary(row => row.Of, row => row.Values);
        foreach (var method in StudyMethods.Compared.Where(method => method.Name != "dti"))
        {
            var differences = _scores
                .SkipLast(1)
                .Select(score =>
                    $"{score} {Estimate.Of([.. rows[method.Name].Select(row => dti[row.Of][score] - row.Values[score])])}"
                );
            Console.WriteLine($"dti less {method.Name}: {string.Join(", ", differences)}");
        }

        var means = StudyMethods.Compared.Select(method => new Series(
            method.Name,
            [rows[method.Name].Average(row => row.Values["likeness"])],
            [rows[method.Name].Average(row => row.Values["text"])],
            [Estimate.Of([.. rows[method.Name].Select(row => row.Values["text"])]).Half]
        ));
        var each = StudyMethods.Compared.Select(method => new Series(
            method.Name,
            [.. rows[method.Name].Select(row => row.Values["likeness"])],
            [.. rows[method.Name].Select(row => row.Values["text"])],
            Joined: false
        ));
        Graph.Write(
            Path.Combine(MiniWorld.ImageFolder, "dti-mini-study.webp"),
            Graph.Of("likeness to the subject (means)", "text score", means),
            Graph.Of("likeness (each subject)", "text score", each)
        );
    }

    private static void Lines(
        Dictionary<string, (string What, string Of, Dictionary<string, double> Values)[]> rows,
        IReadOnlyList<StudyMethod> methods,
        string file,
        string label,
        Func<StudyMethod, double> position,
        Func<StudyMethod, string> name
    )
    {
        var there = methods.Where(method => rows.ContainsKey(method.Name)).ToArray();
        if (there.Length < 2)
        {
            return;
        }

        Series Line(string score)
        {
            var estimates = there
                .Select(method => Estimate.Of([.. rows[method.Name].Select(row => row.Values[score])]))
                .ToArray();
            return new Series(
                score,
                [.. there.Select(position)],
                [.. estimates.Select(estimate => estimate.Mean)],
                [.. estimates.Select(estimate => estimate.Half)]
            );
        }

        var ticks = there.Select(method => (position(method), name(method))).ToArray();
        Graph.Write(
            Path.Combine(MiniWorld.ImageFolder, file),
            Graph.Of(label, "likeness", [Line("likeness"), Line("likeness_simple")], ticks),
            Graph.Of(label, "text score", [Line("text")], ticks)
        );
    }

    private static void Between()
    {
        var rows = InterpolationStudy.Results.Rows;
        if (rows.Count == 0)
        {
            return;
        }

        Graph.Write(
            Path.Combine(MiniWorld.ImageFolder, "dti-mini-between.webp"),
            [
                .. rows.GroupBy(row => row.What)
                    .Select(way =>
                        Graph.Of(
                            $"{way.Key}: t",
                            "likeness",
                            ((string[])["like_from", "like_to"]).Select(end =>
                            {
                                var points = way.GroupBy(row => row.Values["t"])
                                    .OrderBy(point => point.Key)
                                    .Select(point =>
                                        (T: point.Key, Estimate: Estimate.Of([.. point.Select(row => row.Values[end])]))
                                    )
                                    .ToArray();
                                return new Series(
                                    end,
                                    [.. points.Select(point => point.T)],
                                    [.. points.Select(point => point.Estimate.Mean)],
                                    [.. points.Select(point => point.Estimate.Half)]
                                );
                            })
                        )
                    ),
            ]
        );
        foreach (var way in rows.GroupBy(row => row.What))
        {
            Console.WriteLine(
                $"{way.Key}: {string.Join(", ", way.GroupBy(row => row.Values["t"]).Select(point => string.Create(CultureInfo.InvariantCulture, $"t {point.Key:F3}: {point.Average(row => row.Values["like_from"]):F3} and {point.Average(row => row.Values["like_to"]):F3}")))}"
            );
        }
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
            Panel("told_right", "positions told right"),
            Panel("variance_share", "share of variance")
        );
        foreach (var group in rows.GroupBy(row => row.What == "words" ? row.What + " × " + row.Of : row.What))
        {
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{group.Key}: norm {group.Average(row => row.Values["norm"]):F3}, told right {group.Average(row => row.Values["told_right"]):P1}, share of variance {group.Average(row => row.Values["variance_share"]):P2}"
                )
            );
        }
    }
}
