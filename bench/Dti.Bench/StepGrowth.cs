using System.Globalization;

namespace Dti.Bench;

/// <summary>
/// How a step's time and memory grow with what is asked: vectors of a concept, photos of a batch, pixels.
/// </summary>
internal static class StepGrowth
{
    private const int Few = 2;
    private const string High = "high";

    public static int Run(Arguments arguments)
    {
        var (model, more) = (
            arguments.Text("--model", Folders.Fixture("tiny-sd15")),
            Few + arguments.Number("--steps", 4)
        );
        var table = new Table(
            "work",
            "dtype",
            "memory",
            "side",
            "batch",
            "vectors",
            "seconds of a step",
            "ratio",
            "MiB beside the weights",
            "ratio"
        );
        (double Seconds, long Bytes) first = default;
        var sides = arguments.Numbers("--sides", "256,384,512");
        foreach (var dtype in arguments.Text("--dtypes", "bf16").Split(','))
        {
            foreach (var (work, side, batch, vectors, memory) in Points(sides))
            {
                // The difference of two runs: what is done once, encoding and decoding, falls out.
                CaseResult Case(int steps) =>
                    new ModelCase(model, null, memory, dtype, side, batch, steps, work, vectors).Run();
                var (few, many) = (Case(Few), Case(more));
                (double Seconds, long Bytes) now = (
                    (many.Seconds - few.Seconds) / (more - Few),
                    many.PeakBytes - Math.Min(many.PeakBytes, many.HeldBytes)
                );
                first = (side, batch, vectors, memory) == (sides[0], 1, 1, High) ? now : first;
                table.Add(
                    $"{work}",
                    dtype,
                    memory,
                    $"{side}",
                    $"{batch}",
                    $"{vectors}",
                    Table.Seconds(now.Seconds),
                    Table.Ratio(now.Seconds / first.Seconds),
                    Table.Mebibytes(now.Bytes),
                    Table.Ratio((double)now.Bytes / first.Bytes)
                );
            }
        }

        table.Save(
            "growth",
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                Seconds of a step and the most memory in addition to the weights, as vectors, batch and pixels grow; ratios to the first line of the same work.
                Model: {Path.GetFileName(model)}; each step the mean of {more
                    - Few}; {Environment.ProcessorCount} cores.
                """
            )
        );
        return 0;
    }

    private static IEnumerable<(Work Work, int Side, int Batch, int Vectors, string Memory)> Points(int[] sides)
    {
        foreach (var side in sides)
        {
            yield return (Work.Generate, side, 1, 1, High);
        }

        foreach (var side in sides)
        {
            yield return (Work.Train, side, 1, 1, High);
        }

        yield return (Work.Train, sides[^1], 1, 1, "low");

        foreach (var batch in new[] { 2, 4 })
        {
            yield return (Work.Train, sides[0], batch, 1, High);
        }

        foreach (var vectors in new[] { 4, 16 })
        {
            yield return (Work.Train, sides[0], 1, vectors, High);
        }
    }
}
