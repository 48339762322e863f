using System.Runtime.InteropServices;

namespace Dti.Bench;

/// <summary>What each of <c>--memory</c>'s options saves and costs, against doing without it, side by side.</summary>
internal static class MemoryOptions
{
    public static int Run(Arguments arguments)
    {
        var model = arguments.Text("--model", Folders.Fixture("tiny-sd15"));
        var (side, picture) = (arguments.Number("--side", 512), arguments.Number("--picture", 1024));
        var (batch, steps) = (arguments.Number("--batch", 1), arguments.Number("--steps", 3));
        var table = new Table("option", "work", "MiB", "ratio", "seconds", "ratio");
        foreach (
            var (option, work, pixels) in new[]
            {
                ("tiled autoencoder", Work.Generate, picture),
                ("activation checkpoints", Work.Train, side),
            }
        )
        {
            ModelCase Case(string name) =>
                new(model, null, name, arguments.Text("--dtype", "fp32"), pixels, batch, steps, work);
            var (without, with) = (Case("high").Run(), Case("low").Run());
            var text = work == Work.Generate ? $"generate {pixels} × {pixels}" : $"train {batch} × {pixels} × {pixels}";
            long Used(CaseResult result) => result.PeakBytes - Math.Min(result.PeakBytes, result.HeldBytes);
            table.Add(
                $"without {option}",
                text,
                Table.Mebibytes(Used(without)),
                "1",
                Table.Seconds(without.Seconds),
                "1"
            );
            table.Add(
                option,
                text,
                Table.Mebibytes(Used(with)),
                Table.Ratio((double)Used(with) / Used(without)),
                Table.Seconds(with.Seconds),
                Table.Ratio(with.Seconds / without.Seconds)
            );
        }

        table.Save(
            "memory",
            $"""
            Peak memory beside the weights, and time, with each option of `--memory` and without it.
            Model: {Path.GetFileName(
                model
            )}; {steps} steps; {Environment.ProcessorCount} cores, {RuntimeInformation.OSArchitecture}.
            Moving idle components off the device does nothing on a CPU, and no GPU was there to measure it.
            """
        );
        return 0;
    }
}
