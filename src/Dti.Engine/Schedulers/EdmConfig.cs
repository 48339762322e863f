using System.Text.Json;
using Dti.Engine.Configs;
using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>How sampling spreads the noise levels of EDM.</summary>
public enum SigmaSchedule
{
    /// <summary>Evenly in the ρ-th root (arXiv 2206.00364, equation 5): Playground 2.5.</summary>
    Karras,

    /// <summary>Evenly in the logarithm: CosXL.</summary>
    Exponential,
}

/// <summary>
/// The <c>scheduler_config.json</c> of a model trained as EDM: diffusers' EDMEulerScheduler (CosXL) and
/// EDMDPMSolverMultistepScheduler (Playground 2.5).
/// </summary>
public sealed record EdmConfig : NoiseProcessConfig
{
    private const string Euler = "euler";
    private const string DpmSolver = "dpmpp_2m";
    private const string KarrasEnding = "_karras";

    private static readonly Dictionary<string, Func<INoiseProcess, SamplingSchedule, IScheduler>> _samplers = new(
        StringComparer.Ordinal
    )
    {
        [DpmSolver] = (process, schedule) => new DpmSolverMultistepScheduler(process, schedule),
        [DpmSolver + KarrasEnding] = (process, schedule) => new DpmSolverMultistepScheduler(process, schedule),
        [Euler] = (process, schedule) => new EulerDiscreteScheduler(process, schedule),
        ["euler_ancestral"] = (process, schedule) => new EulerAncestralDiscreteScheduler(process, schedule),
        [Euler + KarrasEnding] = (process, schedule) => new EulerDiscreteScheduler(process, schedule),
    };

    /// <summary>The smallest noise level that is sampled.</summary>
    public required double SigmaMin { get; init; }

    /// <summary>The largest noise level that is sampled.</summary>
    public required double SigmaMax { get; init; }

    /// <summary>Standard deviation of the latents.</summary>
    public required double SigmaData { get; init; }

    /// <summary>How the model's own sampler spreads noise levels.</summary>
    public SigmaSchedule Schedule { get; init; }

    /// <summary>ρ of <see cref="SigmaSchedule.Karras"/>.</summary>
    public double Rho { get; init; } = Sigmas.Rho;

    /// <summary>Mean of ln σ in training (arXiv 2206.00364, table 1).</summary>
    public double MeanLogSigma { get; init; } = -1.2;

    /// <summary>Standard deviation of ln σ in training.</summary>
    public double DeviationLogSigma { get; init; } = 1.2;

    /// <inheritdoc/>
    public override IReadOnlyList<PredictionType> Predictions => [PredictionType.Epsilon, PredictionType.VPrediction];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Samplers => [.. _samplers.Keys.Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public override string DefaultSampler => SchedulerClasses.Edm.GetValueOrDefault(ClassName, Euler);

    /// <summary>Reads a config.</summary>
    /// <exception cref="DtiException">A value is out of bounds or not supported; the message names it.</exception>
    public static EdmConfig Parse(JsonElement json)
    {
        var config = new ComponentConfig("scheduler/scheduler_config.json", json);
        SchedulerClasses.CheckEdm(config);
        var (prediction, schedule) = (
            config.String("prediction_type", "epsilon"),
            config.String("sigma_schedule", "karras")
        );
        return new EdmConfig
        {
            ClassName = config.String("_class_name", ""),
            PredictionType = PredictionTypes.Find(prediction) is { } type and not PredictionType.Flow
                ? type
                : throw config.Unsupported("prediction_type", prediction),
            Schedule = schedule switch
            {
                "karras" => SigmaSchedule.Karras,
                "exponential" => SigmaSchedule.Exponential,
                _ => throw config.Unsupported("sigma_schedule", schedule),
            },
            Rho = Positive("rho", Sigmas.Rho),
            SigmaMin = Positive("sigma_min", 0.002),
            SigmaMax = Positive("sigma_max", 80),
            SigmaData = Positive("sigma_data", 0.5),
        };

        double Positive(string key, double absent) =>
            config.Double(key, absent) is > 0 and <= 1e4 and var value
                ? value
                : throw config.Unsupported(key, JsonSerializer.Serialize(config.Double(key, absent)));
    }

    /// <inheritdoc/>
    public override INoiseProcess CreateProcess(Device? device = null) => new EdmProcess(this);

    /// <inheritdoc/>
    public override IScheduler CreateSampler(string name, int steps)
    {
        var karras = Schedule == SigmaSchedule.Karras || name.EndsWith(KarrasEnding, StringComparison.Ordinal);
        var levels = karras
            ? Sigmas.Karras(SigmaMax, SigmaMin, steps, Rho)
            : Sigmas.Exponential(SigmaMax, SigmaMin, steps);
        double[] sigmas = [.. levels.Select(sigma => (double)(float)sigma)]; // as diffusers keeps them
        return _samplers[name]
            (
                new EdmProcess(this),
                new SamplingSchedule(
                    Array.ConvertAll(sigmas, EdmProcess.Time),
                    [.. sigmas.Append(0).Select(sigma => new NoiseLevel(1, sigma))],
                    Math.Sqrt((SigmaMax * SigmaMax) + 1)
                )
            );
    }
}
