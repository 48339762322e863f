using System.Text.Json;
using Dti.Engine.Configs;
using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>The <c>scheduler_config.json</c> of a model trained as EDM (diffusers' EDMEulerScheduler).</summary>
public sealed record EdmConfig : NoiseProcessConfig
{
    private static readonly Dictionary<string, Func<INoiseProcess, SamplingSchedule, IScheduler>> _samplers = new(StringComparer.Ordinal)
    {
        ["euler"] = (process, schedule) => new EulerDiscreteScheduler(process, schedule),
        ["euler_ancestral"] = (process, schedule) => new EulerAncestralDiscreteScheduler(process, schedule),
    };

    /// <summary>The smallest noise level that is sampled.</summary>
    public required double SigmaMin { get; init; }

    /// <summary>The largest noise level that is sampled.</summary>
    public required double SigmaMax { get; init; }

    /// <summary>Standard deviation of the latents.</summary>
    public required double SigmaData { get; init; }

    /// <summary>Mean of ln σ in training (arXiv 2206.00364, table 1).</summary>
    public double MeanLogSigma { get; init; } = -1.2;

    /// <summary>Standard deviation of ln σ in training.</summary>
    public double DeviationLogSigma { get; init; } = 1.2;

    /// <inheritdoc/>
    public override IReadOnlyList<PredictionType> Predictions => [PredictionType.Epsilon, PredictionType.VPrediction];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Samplers => [.. _samplers.Keys.Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public override string DefaultSampler => "euler";

    /// <summary>Reads a config.</summary>
    /// <exception cref="DtiException">A value is out of bounds or not supported; the message names it.</exception>
    public static EdmConfig Parse(JsonElement json)
    {
        var config = new ComponentConfig("scheduler/scheduler_config.json", json);
        config.Require("sigma_schedule", "karras");
        config.Require("final_sigmas_type", "zero");
        var prediction = config.String("prediction_type", "epsilon");
        return new EdmConfig
        {
            ClassName = config.String("_class_name", ""),
            PredictionType = PredictionTypes.Find(prediction) is { } type and not PredictionType.Flow ? type : throw config.Unsupported("prediction_type", prediction),
            SigmaMin = Positive("sigma_min", 0.002),
            SigmaMax = Positive("sigma_max", 80),
            SigmaData = Positive("sigma_data", 0.5),
        };

        double Positive(string key, double absent) =>
            config.Double(key, absent) is > 0 and <= 1e4 and var value ? value : throw config.Unsupported(key, JsonSerializer.Serialize(config.Double(key, absent)));
    }

    /// <inheritdoc/>
    public override INoiseProcess CreateProcess(Device? device = null) => new EdmProcess(this);

    /// <inheritdoc/>
    public override IScheduler CreateSampler(string name, int steps)
    {
        double[] sigmas = [.. Sigmas.Karras(SigmaMax, SigmaMin, steps).Select(sigma => (double)(float)sigma)];
        return _samplers[name](new EdmProcess(this), new SamplingSchedule(
            Array.ConvertAll(sigmas, EdmProcess.Time), [.. sigmas.Append(0).Select(sigma => new NoiseLevel(1, sigma))], Math.Sqrt((SigmaMax * SigmaMax) + 1)));
    }
}
