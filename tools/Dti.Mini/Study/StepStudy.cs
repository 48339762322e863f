using System.Globalization;
using Dti.Engine.Training;
using Dti.Mini.Sheets;
using Dti.Mini.Subjects;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// How good a concept is after so many steps, as the judge sees it, and what training itself can know of that: its
/// checks.
/// </summary>
internal static class StepStudy
{
    /// <summary>A row per subject and check.</summary>
    public static ResultsFile Checks { get; } = new("checks.csv");

    /// <summary>Trains what is not there yet, one subject per core, and judges it.</summary>
    public static void Run(StudyBench bench, IReadOnlyList<StudyMethod> lengths, IReadOnlyList<Subject> subjects)
    {
        Parallel.ForEach(
            subjects.Where(subject => Checks.Rows.All(row => row.What != subject.Name)).ToArray(),
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            subject =>
            {
                set_num_threads(1);
                using var scope = NewDisposeScope();
                foreach (var check in bench.TrainOnce(lengths, subject))
                {
                    Checks.Add(
                        subject.Name,
                        $"{check.Step}",
                        new Dictionary<string, double>
                        {
                            ["held_out_loss"] = check.HeldOutLoss,
                            ["drift"] = check.Drift,
                        }
                    );
                }
            }
        );
        ConceptStudy.Run(bench, lengths, subjects);
    }

    /// <summary>
    /// Where training would have stopped by itself, against the best of the judged steps: a line per subject.
    /// </summary>
    public static void Report()
    {
        var judged = ConceptStudy
            .Results.Rows.Where(row => row.What.StartsWith("steps-", StringComparison.Ordinal))
            .ToLookup(
                row => row.Of,
                row =>
                    (
                        Step: int.Parse(row.What[6..], CultureInfo.InvariantCulture),
                        Score: Math.Sqrt(row.Values["text"] * row.Values["likeness_simple"])
                    )
            );
        foreach (var subject in Checks.Rows.GroupBy(row => row.What).Where(subject => judged.Contains(subject.Key)))
        {
            var stopping = new EarlyStopping();
            foreach (var row in subject)
            {
                if (stopping.Reason is null)
                {
                    stopping.Note(
                        new TrainingCheck(
                            int.Parse(row.Of, CultureInfo.InvariantCulture),
                            row.Values["held_out_loss"],
                            row.Values["drift"]
                        )
                    );
                }
            }

            var steps = judged[subject.Key].OrderBy(point => point.Step).ToArray();
            var best = steps.MaxBy(point => point.Score);
            var picked = steps.MinBy(point => Math.Abs(point.Step - stopping.Best!.Step));
            Console.WriteLine(
                FormattableString.Invariant(
                    $"{subject.Key}: best {best.Score:F3} at {best.Step}; stopped {(stopping.Reason is null ? "never" : "early")}, picks {stopping.Best!.Step}: {picked.Score:F3}, {picked.Score / best.Score:P1} of the best; the last {steps[^1].Score / best.Score:P1}"
                )
            );
        }
    }
}
