using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text.Json;

namespace Dti.Bench;

/// <summary>
/// SANA in the shapes of the published 1.6B model, with random weights: load, generate, train, alternating with the same
/// work by diffusers if <c>--reference</c> names a command for it. A case is work, side, dtype of Dti, and dtypes of
/// diffusers. Times are those of the processor, which other programs on the machine change little.
/// </summary>
internal static class SanaFullSize
{
    private const int PublishedTextLayers = 26;

    private static readonly string[] _headings =
    [
        "program",
        "work",
        "dtype",
        "load s",
        "s per step",
        "peak MiB",
        "within 24 GiB",
        "diffusers ÷ Dti, per step",
    ];

    public static int Run(Arguments arguments)
    {
        var work = Directory
            .CreateDirectory(arguments.Text("--work", Path.Combine(Path.GetTempPath(), "dti-sana-size")))
            .FullName;
        var (memory, layers, steps) = (
            arguments.Text("--memory", "auto"),
            arguments.Number("--text-layers", PublishedTextLayers),
            arguments.Number("--steps", 2)
        );
        var reference = arguments.Text("--reference", "");
        var folder = Path.Combine(work, $"sana-{layers.ToString(CultureInfo.InvariantCulture)}");
        if (!File.Exists(Path.Combine(folder, "vae", "diffusion_pytorch_model.safetensors")))
        {
            FullSize.Timed($"write {folder}", () => RandomSana.Write(folder, layers));
        }

        var table = new Table(_headings);
        foreach (var asked in arguments.Text("--cases", "generate 512 bf16 bf16,train 512 bf16 bf16").Split(','))
        {
            var words = asked.Split(' ');
            var (kind, side, dtype) = (
                Enum.Parse<Work>(words[0], ignoreCase: true),
                int.Parse(words[1], CultureInfo.InvariantCulture),
                words[2]
            );
            var own = new ModelCase(folder, null, memory, dtype, side, Batch: 1, steps, kind).Run();
            Add(table, $"Dti, --memory {own.Memory}", words, Measured.Of(own), null);
            Save(table, layers, steps);
            foreach (var other in reference.Length == 0 ? [] : words.Skip(3))
            {
                string[] same = [words[0], words[1], other];
                var result = Reference(reference, folder, same, steps);
                Add(table, "diffusers", same, result, result.StepSeconds / own.StepProcessorSeconds);
                Save(table, layers, steps);
            }
        }

        if (!arguments.Has("--keep"))
        {
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    private static Measured Reference(string command, string folder, string[] asked, int steps)
    {
        string[] words =
        [
            .. command.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            folder,
            .. asked,
            steps.ToString(CultureInfo.InvariantCulture),
        ];
        var output = ChildProcess.Output(words[0], words[1..]);
        return JsonSerializer.Deserialize<Measured>(
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Last(line => line.StartsWith('{'))
        )!;
    }

    private static void Add(Table table, string program, string[] asked, Measured result, double? ratio) =>
        table.Add(
            program,
            $"{asked[0]} {asked[1]} × {asked[1]}",
            asked[2],
            Table.Seconds(result.LoadSeconds),
            Table.Seconds(result.StepSeconds),
            Table.Mebibytes(result.ProcessBytes),
            result.ProcessBytes <= FullSize.Limit ? "yes" : "no",
            ratio is { } number ? Table.Ratio(number) : ""
        );

    private static void Save(Table table, int layers, int steps) =>
        table.Save(
            "sana",
            $"""
            SANA 1.6B in the published shapes, with {layers} of {PublishedTextLayers} layers of the text encoder; random weights in BF16, batch 1, {steps} steps. Generation is with
            classifier-free guidance, training is DTI with one vector. Each row was measured in a separate process. Rows of the same work ran one after the other. Seconds are processor time of
            {TorchSharp.torch.get_num_threads()} thread(s); a step of Dti is the median without the first. The peak is that of the whole process: Dti's
            with the autoencoder and, in generation, the text encoder, without which diffusers' steps were measured. {Environment.ProcessorCount} cores,
            {RuntimeInformation.OSArchitecture}, {(Avx512F.IsSupported ? "AVX-512" : "AVX2 only")}, no GPU.
            """
        );

    /// <summary>What one process measured; the names are those of the JSON of <c>sana_diffusers.py</c>.</summary>
    private sealed record Measured(double LoadSeconds, double StepSeconds, long ProcessBytes)
    {
        public static Measured Of(CaseResult result) =>
            new(result.LoadProcessorSeconds, result.StepProcessorSeconds, result.ProcessBytes);
    }
}
