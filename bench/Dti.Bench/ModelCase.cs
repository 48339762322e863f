using System.Diagnostics;
using System.Text.Json;
using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;

namespace Dti.Bench;

/// <summary>What a case does with a loaded model.</summary>
internal enum Work
{
    /// <summary>Nothing more.</summary>
    Load,

    /// <summary>
    /// Not even that: only fills as much fresh memory as the weights take, which is what loading them cannot do
    /// without.
    /// </summary>
    Touch,

    /// <summary>Generates an image.</summary>
    Generate,

    /// <summary>Trains.</summary>
    Train,
}

/// <summary>
/// What was measured; bytes are resident memory above that of the process before the model was loaded.
/// </summary>
/// <param name="LoadSeconds">From the first look at the files.</param>
/// <param name="HeldBytes">Of the weights, as the model holds them.</param>
/// <param name="LoadPeakBytes">The most while loading.</param>
/// <param name="Memory">What was traded for memory.</param>
/// <param name="Seconds">Of all steps, and of encoding and decoding.</param>
/// <param name="PeakBytes">The most during the work, weights included.</param>
/// <param name="ProcessBytes">The most of the whole process.</param>
/// <param name="LoadProcessorSeconds">Processor time of loading.</param>
/// <param name="StepProcessorSeconds">Processor time of one step, the median of all but the first; 0: there was only
/// one.</param>
internal sealed record CaseResult(
    double LoadSeconds,
    long HeldBytes,
    long LoadPeakBytes,
    string Memory,
    double Seconds,
    long PeakBytes,
    long ProcessBytes,
    double LoadProcessorSeconds = 0,
    double StepProcessorSeconds = 0
);

/// <summary>A measurement in a process of its own, so that nothing before it counts.</summary>
/// <param name="Model">The folder or the single file.</param>
/// <param name="Like">A folder whose configs and tokenizer a single file of unusual sizes goes with; null:
/// none.</param>
/// <param name="Memory">low, balanced, high or auto.</param>
/// <param name="Dtype">fp32 or bf16.</param>
/// <param name="Side">Of the image or the photo, pixels.</param>
/// <param name="Batch">Photos per training step.</param>
/// <param name="Steps">Of sampling or training.</param>
/// <param name="Work">What to do.</param>
/// <param name="Vectors">Of the concept that is learnt.</param>
internal sealed record ModelCase(
    string Model,
    string? Like,
    string Memory,
    string Dtype,
    int Side,
    int Batch,
    int Steps,
    Work Work,
    int Vectors = 1
)
{
    /// <summary>The command line's word for it.</summary>
    public const string Verb = "case";

    /// <summary>Runs it in a new process.</summary>
    public CaseResult Run() =>
        JsonSerializer.Deserialize<CaseResult>(
            ChildProcess.Output(Environment.ProcessPath!, Verb, JsonSerializer.Serialize(this))
        )!;

    /// <summary>Runs one in this process, and writes its result.</summary>
    public static int RunHere(string json)
    {
        var asked = JsonSerializer.Deserialize<ModelCase>(json)!;
        using (TorchSharp.torch.zeros(1))
        {
            // The libraries are there before anything is counted.
        }

        Console.WriteLine(JsonSerializer.Serialize(asked.Measure()));
        return 0;
    }

    /// <summary>A photo of noise, as PNG.</summary>
    public static byte[] Noise(int side)
    {
        var pixels = new byte[side * side * 3];
        new Random(1).NextBytes(pixels);
        return ImageCodec.Encode(new RgbImage(side, side, pixels), ImageFormat.Png);
    }

    private CaseResult Measure()
    {
        ProcessMemory.RestartPeak();
        var before = ProcessMemory.ResidentBytes;
        var began = Stopwatch.GetTimestamp();
        var processor = ProcessorSeconds;
        var target = ComputeTarget.Resolve("cpu", Dtype);
        var profile = ModelFamilies.BuiltIn.Describe(
            Like is null
                ? ModelFamilies.BuiltIn.Open(Model)
                : ModelFamilies.BuiltIn.OpenFile(Model, ModelFamilies.BuiltIn.Open(Like))
        );
        var held = profile.HeldBytes(target);
        var policy = MemoryPolicy.Resolve(Memory, held, target);
        if (Work == Work.Touch)
        {
            began = Stopwatch.GetTimestamp();
            using var memory = TorchSharp.torch.empty([held], TorchSharp.torch.ScalarType.Byte).fill_(1);
            return new CaseResult(
                Stopwatch.GetElapsedTime(began).TotalSeconds,
                held,
                ProcessMemory.PeakBytes - before,
                policy.Name,
                0,
                0,
                0
            );
        }

        using var model = profile.Load(target, policy);
        var (loaded, loadPeak) = (Stopwatch.GetElapsedTime(began), ProcessMemory.PeakBytes);
        processor = ProcessorSeconds - processor;
        ProcessMemory.RestartPeak();
        began = Stopwatch.GetTimestamp();
        var step = Work switch
        {
            Work.Generate => MedianStep(Generate(model).OfType<SamplingStep>()),
            Work.Train => MedianStep(Train(model).OfType<TrainingStep>()),
            _ => 0,
        };

        var (seconds, peak) = (Stopwatch.GetElapsedTime(began), ProcessMemory.PeakBytes);
        return new CaseResult(
            loaded.TotalSeconds,
            held,
            loadPeak - before,
            policy.Name,
            seconds.TotalSeconds,
            peak - before,
            Math.Max(loadPeak, peak),
            processor,
            step
        );
    }

    private static double ProcessorSeconds => Environment.CpuUsage.TotalTime.TotalSeconds;

    private static double MedianStep<T>(IEnumerable<T> steps)
    {
        double[] ends = [.. steps.Select(_ => ProcessorSeconds)];
        double[] seconds = [.. ends.Skip(1).Zip(ends, (end, start) => end - start).Order()];
        return seconds.Length == 0 ? 0 : seconds[(seconds.Length - 1) / 2];
    }

    private IEnumerable<GenerationEvent> Generate(IDiffusionModel model)
    {
        var options = new GenerationOptions
        {
            Prompt = "a photo of a cat",
            Width = Side,
            Height = Side,
            Steps = Steps,
            Seed = 1,
        };
        return new TextToImage(model).Run(
            GenerationSettings.Resolve(options, model.Profile, () => 1),
            [],
            CancellationToken.None
        );
    }

    private IEnumerable<TrainingEvent> Train(IDiffusionModel model)
    {
        var options = new TrainingOptions
        {
            Steps = Steps,
            BatchSize = Batch,
            Resolution = Side,
            PreviewEvery = 0,
            Initializer = "cat",
            VectorCount = Vectors,
            Seed = 1,
        };
        var photos = TrainingSet.Load([new Photo("noise.png", Noise(Side))], Side, ImageLimits.Default);
        return new Trainer(model, TrainingSettings.Resolve(options, "x", model.Profile, () => 1), photos).Run(
            CancellationToken.None
        );
    }
}
