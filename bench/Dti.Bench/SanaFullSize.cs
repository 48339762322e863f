using System.Globalization;
using System.Runtime.InteropServices;

namespace Dti.Bench;

/// <summary>SANA in the shapes of the published 1.6B model, with random weights: load, draw, train.</summary>
internal static class SanaFullSize
{
    private const int PublishedTextLayers = 26;

    public static int Run(Arguments arguments)
    {
        var work = Directory
            .CreateDirectory(arguments.Text("--work", Path.Combine(Path.GetTempPath(), "dti-sana-size")))
            .FullName;
        var (side, dtype, memory, layers) = (
            arguments.Number("--side", 512),
            arguments.Text("--dtype", "bf16"),
            arguments.Text("--memory", "auto"),
            arguments.Number("--text-layers", PublishedTextLayers)
        );
        var folder = Path.Combine(work, $"sana-{layers.ToString(CultureInfo.InvariantCulture)}");
        FullSize.Timed($"write {folder}", () => RandomSana.Write(folder, layers));
        var table = new Table(FullSize.Headings);
        FullSize.Measure(table, folder, null, side, dtype, memory);
        if (!arguments.Has("--keep"))
        {
            Directory.Delete(folder, recursive: true);
        }

        table.Save(
            "sana",
            $"""
            SANA 1.6B in the published shapes but for the text encoder, of which there are {layers} of {PublishedTextLayers} layers; random weights in BF16, held in {dtype},
            at {side} × {side}, batch 1. {Environment.ProcessorCount} cores, {RuntimeInformation.OSArchitecture}, no GPU. Peaks of loading are above the process without a model; those of drawing and
            training are the whole process.
            """
        );
        return 0;
    }
}
