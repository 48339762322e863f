using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text.Json;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Runtime.Kernels;
using static TorchSharp.torch;

namespace Dti.Bench.Speed;

/// <summary>
/// How fast: the plain path, Dti and the machine's kernels alone, in turn, in one run, so that whatever else the
/// machine does falls on all alike. Each case adds its line to <c>speed.json</c>, so that cases can be measured one at
/// a time.
/// </summary>
internal static class SpeedBench
{
    private static readonly JsonSerializerOptions _json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };
    private static readonly string[] _dtypes = ["fp32", "bf16"];
    private static readonly string[] _ways =
    [
        "plain fp32",
        "ours fp32",
        "limit fp32",
        "plain bf16",
        "ours bf16",
        "limit bf16",
    ];

    public static int Run(Arguments arguments)
    {
        if (arguments.Has("--profile"))
        {
            return ProfileBench.Run(arguments, name => Model(name, arguments));
        }

        var (asked, device) = (arguments.Text("--case", ""), arguments.Text("--device", "cpu"));
        var machine = device == "cpu" ? $"cpu, {Instructions}" : device;
        var results = arguments.Text("--results", Path.Combine(Folders.Bench, "speed.json"));
        var all = File.Exists(results)
            ? JsonSerializer.Deserialize<List<SpeedResult>>(File.ReadAllText(results), _json)!
            : [];
        foreach (var speedCase in SpeedCase.Named(asked))
        {
            if (
                all.Any(result => result.Case == speedCase.Name && result.Device == machine)
                && arguments.Has("--missing")
            )
            {
                continue;
            }

            var profile = (StableDiffusionProfile)ModelFamilies.BuiltIn.Read(Model(speedCase.Model, arguments));
            foreach (
                var dtypes in Turns(speedCase, profile, device, arguments.Text("--dtypes", "fp32,bf16").Split(','))
            )
            {
                var result = speedCase.Run(
                    profile,
                    device,
                    dtypes,
                    arguments.Number("--rounds", speedCase.Model == "dti-mini" ? 9 : 3),
                    !arguments.Has("--no-limit")
                ) with
                {
                    Device = machine,
                };
                var before = all.Find(old => old.Case == speedCase.Name && old.Device == machine);
                foreach (
                    var (way, seconds) in before is { }
                    && before.Clock == result.Clock
                    && before.Threads == result.Threads
                        ? before.Seconds
                        : []
                )
                {
                    result.Seconds.TryAdd(way, seconds); // of a dtype that was not measured this time
                }

                all.RemoveAll(old => old.Case == speedCase.Name && old.Device == machine);
                all.Add(result);
                File.WriteAllText(results, JsonSerializer.Serialize(all, _json) + "\n");
            }
        }

        var table = new Table([
            "case",
            "device",
            "clock",
            "threads",
            "Tflop",
            .. _ways.Select(way => $"{way} s"),
            "fp32 ÷ plain",
            "bf16 ÷ plain",
            "best ÷ plain's best",
            "kernels' share, fp32",
            "bf16",
        ]);
        foreach (
            var result in SpeedCase.All.SelectMany(one =>
                all.Where(known => known.Case == one.Name).OrderBy(known => known.Device, StringComparer.Ordinal)
            )
        )
        {
            string Ratio(string a, string b) =>
                Median(result, a) / Median(result, b) is var ratio && double.IsFinite(ratio) ? Table.Ratio(ratio) : "";
            double Best(string way) =>
                _dtypes.Min(dtype =>
                    Median(result, $"{way} {dtype}") is var seconds && double.IsNaN(seconds) ? double.MaxValue : seconds
                );
            table.Add([
                result.Case,
                result.Device,
                result.Clock,
                $"{result.Threads}",
                result.Teraflops.ToString("G3", CultureInfo.InvariantCulture),
                .. _ways.Select(way => Text(result, way)),
                Ratio("plain fp32", "ours fp32"),
                Ratio("plain bf16", "ours bf16"),
                Table.Ratio(Best("plain") / Best("ours")),
                Ratio("limit fp32", "ours fp32"),
                Ratio("limit bf16", "ours bf16"),
            ]);
        }

        if (!arguments.Has("--no-limit") && results.StartsWith(Folders.Bench, StringComparison.Ordinal))
        {
            table.Save(
                "speed",
                $"""
                Seconds of a step: median (least to most). `plain` is the reference's loop on the same libtorch, `ours` is Dti, `limit` the plain step's convolutions,
                linear layers and attention alone, each in the fastest of the ways that there are, on tensors that are there already. The clock is what a user waits (wall), or the time that
                the process had a core (processor), which other work on the machine changes little. Ratios above 1: Dti is that many times as fast.
                Written by `./dti bench`; each case is one run, its ways in turn.
                """
            );
        }

        return 0;
    }

    /// <summary>
    /// What a processor has decides what is fast on it: lines of different ones stand beside each other.
    /// </summary>
    private static string Instructions =>
        (
            Processor.HasWholeAvx512 ? "AVX-512"
            : Avx512F.IsSupported ? "AVX-512 in halves"
            : Avx2.IsSupported ? "AVX2"
            : $"{RuntimeInformation.ProcessArchitecture}"
        ) + (OneDnn.Supports(ScalarType.BFloat16) ? " with bf16" : "");

    /// <summary>
    /// All dtypes in turn, or, where the memory does not hold so many models, one after the other. One that does not
    /// fit by itself is left out.
    /// </summary>
    private static IEnumerable<string[]> Turns(
        SpeedCase speedCase,
        StableDiffusionProfile profile,
        string device,
        string[] dtypes
    )
    {
        var targets = dtypes.ToDictionary(dtype => dtype, dtype => ComputeTarget.Resolve(device, dtype));
        var room = 0.9 * (DeviceMemory.TotalBytes(targets.Values.First().Device) ?? long.MaxValue);
        double Models(string dtype) => 2.0 * profile.HeldBytes(targets[dtype]); // plain and ours
        double Step(string dtype) => OurContender.StepBytes(speedCase, profile, targets[dtype]);
        double Alone(string dtype) => Models(dtype) + Step(dtype);
        if (dtypes.Sum(Models) + dtypes.Max(Step) <= room)
        {
            return [dtypes];
        }

        foreach (var dtype in dtypes.Where(dtype => Alone(dtype) > room))
        {
            Console.Error.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{speedCase.Name} in {dtype} is left out: it takes {Alone(dtype) / (1 << 30):F1} GiB, and {room / (1 << 30):F1} may be used."
                )
            );
        }

        return dtypes.Where(dtype => Alone(dtype) <= room).Select(dtype => new[] { dtype });
    }

    /// <summary>The checkpoint of a case; one of random weights is made if it is not there yet.</summary>
    public static string Model(string name, Arguments arguments)
    {
        if (name == "dti-mini")
        {
            return Path.Combine(Folders.Bench, "..", "models", name);
        }

        var family = name == "sdxl" ? "sdxl" : "sd1";
        var file = Path.Combine(
            Directory.CreateDirectory(arguments.Text("--work", Path.Combine(Path.GetTempPath(), "dti-bench"))).FullName,
            $"{family}.safetensors"
        );
        if (!File.Exists(file))
        {
            RandomCheckpoint.Write(file, family, like: null);
        }

        return file;
    }

    private static double Median(SpeedResult result, string way) =>
        result.Seconds.GetValueOrDefault(way)?.Median ?? double.NaN;

    private static string Text(SpeedResult result, string way) =>
        result.Seconds.TryGetValue(way, out var seconds)
            ? string.Create(CultureInfo.InvariantCulture, $"{seconds.Median:G3} ({seconds.Least:G3}–{seconds.Most:G3})")
            : "";
}
