using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Dti.Engine.Conversion;
using Dti.Engine.Models.Families;

namespace Dti.Bench;

/// <summary>
/// Checkpoints in the exact shapes of the published models, with random weights: how long they take to load beside
/// <c>cat</c> on a warm cache, what loading and working take beside the weights as they are held, and that all of it
/// fits 24 GiB.
/// </summary>
internal static class FullSize
{
    public const long Limit = 24L << 30;

    /// <summary>Of what <see cref="Measure"/> measures.</summary>
    public static string[] Headings { get; } =
    [
        "model",
        "file MiB",
        "cat s",
        "touch s",
        "load s",
        "load ÷ cat",
        "load ÷ (cat + touch)",
        "held MiB",
        "load peak MiB",
        "peak ÷ held",
        "memory",
        "generate 2 steps s",
        "peak MiB",
        "train 2 steps s",
        "peak MiB",
        "within 24 GiB",
    ];

    public static int Run(Arguments arguments)
    {
        var work = Directory
            .CreateDirectory(arguments.Text("--work", Path.Combine(Path.GetTempPath(), "dti-full-size")))
            .FullName;
        var (tiny, keep) = (arguments.Has("--tiny"), arguments.Has("--keep"));
        var (side, dtype, memory) = (
            arguments.Number("--side", tiny ? 64 : 512),
            arguments.Text("--dtype", "fp32"),
            arguments.Text("--memory", "auto")
        );
        var table = new Table(Headings);
        foreach (var family in arguments.Text("--families", "sd1,sdxl").Split(','))
        {
            var like = tiny
                ? Path.GetFullPath(
                    Folders.Fixture(
                        family switch
                        {
                            "sd1" => "tiny-sd15",
                            "sd2" => "tiny-sd21",
                            _ => "tiny-sdxl",
                        }
                    )
                )
                : null;
            var single = Path.Combine(work, $"{family}.safetensors");
            Timed($"write {single}", () =>
                RandomCheckpoint.Write(single, family, like is null ? null : ModelFamilies.BuiltIn.Open(like))
            );
            Measure(table, single, like, side, dtype, memory);
            if (family == "sd1")
            {
                var folder = Path.Combine(work, family);
                if (Directory.Exists(folder))
                {
                    Directory.Delete(folder, recursive: true);
                }

                Timed($"convert to {folder}", () =>
                    CheckpointConversion.ToFolder(
                        like is null
                            ? ModelFamilies.BuiltIn.OpenFile(single)
                            : ModelFamilies.BuiltIn.OpenFile(single, ModelFamilies.BuiltIn.Open(like)),
                        folder,
                        CancellationToken.None
                    )
                );
                Measure(table, folder, null, side, dtype, memory);
                Delete(() => Directory.Delete(folder, recursive: true));
            }

            Delete(() => File.Delete(single));
            Save(); // what is known stays, should the next one not fit
        }

        return 0;

        void Delete(Action delete)
        {
            if (!keep)
            {
                delete();
            }
        }

        void Save()
        {
            if (!tiny)
            {
                table.Save(
                    "full-size",
                    $"""
                    Checkpoints in the published shapes, random weights in F16, computed in {dtype} at {side} × {side}, batch 1.
                    {Environment.ProcessorCount} cores, {RuntimeInformation.OSArchitecture}, no GPU. Peaks of loading are above the process without a model; those of generation and training are the whole process.
                    Loading reads every byte and widens it; `cat` to /dev/null reads the same files, both from a warm cache, the better of two. `touch` only fills as
                    much fresh memory as the weights take: a machine hands out memory more slowly than it reads a cached file, and no loader does without it.
                    """
                );
            }
        }
    }

    public static void Measure(Table table, string model, string? like, int side, string dtype, string memory)
    {
        string[] files = File.Exists(model)
            ? [model]
            : Directory.GetFiles(model, "*.safetensors", SearchOption.AllDirectories);
        ModelCase Case(Work work) => new(model, like, memory, dtype, side, Batch: 1, Steps: 2, work);
        Cat(files); // warms the cache
        var cat = Math.Min(Cat(files), Cat(files));
        var load = Case(Work.Load).Run();
        var again = Case(Work.Load).Run();
        load = again.LoadSeconds < load.LoadSeconds ? again : load;
        var touch = Math.Min(Case(Work.Touch).Run().LoadSeconds, Case(Work.Touch).Run().LoadSeconds);
        var (generate, train) = (Case(Work.Generate).Run(), Case(Work.Train).Run());
        table.Add(
            Path.GetFileName(model) + (File.Exists(model) ? "" : "/"),
            Table.Mebibytes(files.Sum(file => new FileInfo(file).Length)),
            Table.Seconds(cat),
            Table.Seconds(touch),
            Table.Seconds(load.LoadSeconds),
            Table.Ratio(load.LoadSeconds / cat),
            Table.Ratio(load.LoadSeconds / (cat + touch)),
            Table.Mebibytes(load.HeldBytes),
            Table.Mebibytes(load.LoadPeakBytes),
            Table.Ratio((double)load.LoadPeakBytes / load.HeldBytes),
            load.Memory,
            Table.Seconds(generate.Seconds),
            Table.Mebibytes(generate.ProcessBytes),
            Table.Seconds(train.Seconds),
            Table.Mebibytes(train.ProcessBytes),
            Math.Max(generate.ProcessBytes, train.ProcessBytes) <= Limit ? "yes" : "no"
        );
    }

    private static double Cat(string[] files)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec cat \"$@\" > /dev/null", "cat", .. files]);
        var began = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        process.WaitForExit();
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    public static void Timed(string what, Action action)
    {
        var began = Stopwatch.GetTimestamp();
        action();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{what}: {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s, peak of the process {Table.Mebibytes(ProcessMemory.PeakBytes)} MiB"
            )
        );
    }
}
