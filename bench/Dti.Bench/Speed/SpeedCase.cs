using System.Globalization;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using static TorchSharp.torch;

namespace Dti.Bench.Speed;

/// <summary>What is measured: a model, a picture's side, training or sampling.</summary>
/// <param name="Model"><c>dti-mini</c>, <c>sd15</c> or <c>sdxl</c>.</param>
/// <param name="Side">Pixels.</param>
/// <param name="Batch">Photos of a training step. A sampling step is of one picture, with guidance.</param>
/// <param name="Trains">Training rather than sampling.</param>
internal sealed record SpeedCase(string Model, int Side, int Batch, bool Trains)
{
    public static IReadOnlyList<SpeedCase> All { get; } =
    [
        new("dti-mini", 128, 1, false),
        new("dti-mini", 128, 1, true),
        new("dti-mini", 128, 4, true),
        new("sd15", 256, 1, false),
        new("sd15", 256, 1, true),
        new("sd15", 256, 4, true),
        new("sd15", 512, 1, false),
        new("sd15", 512, 1, true),
        new("sd15", 512, 4, true),
        new("sdxl", 512, 1, false),
    ];

    /// <summary>Those whose name holds one of some parts.</summary>
    public static IEnumerable<SpeedCase> Named(string parts) =>
        All.Where(one => parts.Split(',').Any(part => one.Name.Contains(part, StringComparison.Ordinal)));

    public string Name =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Model}-{(Trains ? $"train-{Side}-b{Batch}" : $"sample-{Side}")}"
        );

    /// <summary>Measures all ways, one after the other, round after round.</summary>
    /// <param name="profile">The model.</param>
    /// <param name="device">cpu or cuda.</param>
    /// <param name="dtypes">fp32, bf16.</param>
    /// <param name="rounds">How often, after one step each to warm up.</param>
    /// <param name="limits">Measures the kernels alone too.</param>
    public SpeedResult Run(StableDiffusionProfile profile, string device, string[] dtypes, int rounds, bool limits)
    {
        var contenders = dtypes
            .Select(dtype => ComputeTarget.Resolve(device, dtype))
            .SelectMany(target =>
                new Contender[]
                {
                    new PlainContender(this, profile, target with { Dtype = target.HeldDtype }),
                    new OurContender(this, profile, target),
                }
            )
            .ToArray();
        try
        {
            var difference = Difference(profile, (PlainContender)contenders[0], (OurContender)contenders[1]);
            var kernels = Recorded((PlainContender)contenders[0]);
            var times = contenders.ToDictionary(contender => contender.Name, _ => new List<double>());
            foreach (var contender in contenders.Skip(1))
            {
                contender.Step(); // the latents are in the cache, the kernels chosen
            }

            for (var round = 0; round < rounds; round++)
            {
                foreach (var contender in contenders)
                {
                    times[contender.Name].Add(Clock.Current.Seconds(contender.Step));
                    Console.WriteLine(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{Name}, round {round + 1}, {contender.Name}: {times[contender.Name][^1]:G4} s"
                        )
                    );
                }

                foreach (var dtype in limits ? dtypes : [])
                {
                    var name = $"limit {dtype}";
                    times.TryAdd(name, []);
                    times[name].Add(Limit(kernels, ComputeTarget.Resolve(device, dtype)));
                    Console.WriteLine(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{Name}, round {round + 1}, {name}: {times[name][^1]:G4} s"
                        )
                    );
                }
            }

            return new SpeedResult(
                Name,
                device,
                Environment.ProcessorCount,
                get_num_threads(),
                Clock.Current.Name,
                kernels.Sum(kernel => kernel.Flops * (kernel.Backward ? 2 : 1)) / 1e12,
                difference,
                times.ToDictionary(way => way.Key, way => Spread.Of(way.Value))
            );
        }
        finally
        {
            Array.ForEach(contenders, contender => contender.Dispose());
        }
    }

    /// <summary>The convolutions, linear layers and attention of a step, and how often each is there.</summary>
    public IReadOnlyDictionary<Kernel, int> Kernels(StableDiffusionProfile profile)
    {
        using var plain = new PlainContender(this, profile, ComputeTarget.Resolve("cpu", "fp32"));
        return Recorded(plain).CountBy(kernel => kernel).ToDictionary();
    }

    private static List<Kernel> Recorded(PlainContender plain)
    {
        var kernels = new List<Kernel>();
        plain.Model.Seen = kernels.Add;
        plain.Step();
        plain.Model.Seen = null;
        return kernels;
    }

    /// <summary>
    /// The largest difference between what both denoisers say of the same latents, against the largest value: both do
    /// the same work.
    /// </summary>
    private static double Difference(StableDiffusionProfile profile, PlainContender plain, OurContender ours)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var target = ours.Model.Target;
        var latents = randn(2, profile.VaeConfig.LatentChannels, 16, 16).to(target.Dtype, target.Device);
        var states = randn(2, 77, profile.UNetConfig.CrossAttentionDim).to(target.Dtype, target.Device);
        var timestep = full([1], 500L, ScalarType.Int64).to(target.Device);
        var added = plain.Added(2);
        var (a, b) = (
            plain.Model.UNet(latents, timestep, states, added),
            ours.Model.UNet.Forward(latents, timestep, states, added)
        );
        return ((a - b).abs().max() / a.abs().max()).to(ScalarType.Float32).item<float>();
    }

    /// <summary>What the step's convolutions, linear layers and attention take when nothing else is done.</summary>
    private static double Limit(List<Kernel> kernels, ComputeTarget target) =>
        kernels
            .CountBy(kernel => kernel)
            .Sum(kernel =>
            {
                var (forward, backward) = kernel.Key.Time(target, repeats: 1);
                return kernel.Value * (forward + backward);
            });
}

/// <summary>Seconds of a step.</summary>
internal sealed record Spread(double Median, double Least, double Most, int Count)
{
    public static Spread Of(IReadOnlyCollection<double> seconds)
    {
        double[] sorted = [.. seconds.Order()];
        return new(
            (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2,
            sorted[0],
            sorted[^1],
            sorted.Length
        );
    }
}

/// <summary>What came out of a case.</summary>
/// <param name="Case">Its name.</param>
/// <param name="Device">cpu or cuda.</param>
/// <param name="Cores">Of the machine.</param>
/// <param name="Threads">That libtorch used.</param>
/// <param name="Clock">wall or processor: see <see cref="Speed.Clock"/>.</param>
/// <param name="Teraflops">Work of the kernels that a step cannot do without.</param>
/// <param name="Difference">Of both denoisers in the first dtype, relative.</param>
/// <param name="Seconds">By way: <c>plain fp32</c>, <c>ours bf16</c>, <c>limit fp32</c>, …</param>
internal sealed record SpeedResult(
    string Case,
    string Device,
    int Cores,
    int Threads,
    string Clock,
    double Teraflops,
    double Difference,
    Dictionary<string, Spread> Seconds
);
