using System.Globalization;
using System.Text.Json.Nodes;
using Dti.Engine.Checkpoints;
using Dti.Engine.Schedulers;
using static TorchSharp.torch;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>
/// The marks of SDXL's single files that were trained as EDM, as ComfyUI and diffusers read them: <c>edm_mean</c> and
/// <c>edm_std</c> hold the statistics of Playground 2.5's latents, <c>edm_vpred.sigma_max</c> and
/// <c>edm_vpred.sigma_min</c> the range of CosXL's noise.
/// </summary>
internal static class EdmMarks
{
    /// <summary>Mean of the latents by channel, of 4 values.</summary>
    public const string Mean = "edm_mean";

    /// <summary>Standard deviation of the latents by channel, of 4 values.</summary>
    public const string Deviation = "edm_std";

    /// <summary>The largest noise level, of a model that predicts v.</summary>
    public const string SigmaMax = "edm_vpred.sigma_max";

    /// <summary>The smallest noise level; optional.</summary>
    public const string SigmaMin = "edm_vpred.sigma_min";

    private const int Channels = 4;
    private const double LatentScaling = 0.5; // of Playground 2.5
    private const double DefaultSigmaMin = 0.002;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Mean, Deviation, SigmaMax, SigmaMin];

    /// <summary>Whether a file has one of them.</summary>
    public static bool IsMarked(SafetensorsFile file) => All.Any(file.Tensors.ContainsKey);

    /// <summary>Checks that a file's marks go together and hold what they must.</summary>
    /// <exception cref="DtiException">They do not; the message names the mark.</exception>
    public static void Check(SafetensorsFile file)
    {
        RequireBoth(file, Mean, Deviation);
        RequireBoth(file, Deviation, Mean);
        RequireBoth(file, SigmaMin, SigmaMax);
        if (file.Tensors.ContainsKey(Mean) && file.Tensors.ContainsKey(SigmaMax))
        {
            throw UnsupportedFiles.Refused(file, $"it has the marks of two models, '{Mean}' and '{SigmaMax}'");
        }

        foreach (var (name, count) in new[] { (Mean, Channels), (Deviation, Channels), (SigmaMax, 1), (SigmaMin, 1) })
        {
            if (
                file.Tensors.TryGetValue(name, out var entry)
                && entry.Shape.Aggregate(1L, (product, side) => product * side) != count
            )
            {
                throw UnsupportedFiles.Refused(
                    file,
                    $"its mark '{name}' is {entry.ShapeText}, and {count} value(s) are expected"
                );
            }
        }

        if (file.Tensors.ContainsKey(Deviation) && !Values(file, Deviation).All(value => value is > 0 and < 1e4))
        {
            throw UnsupportedFiles.Refused(file, $"its mark '{Deviation}' holds values that are not above 0");
        }

        if (
            file.Tensors.ContainsKey(SigmaMax)
            && Range(file) is var (largest, smallest)
            && !(smallest > 0 && smallest < largest && largest <= 1e4)
        )
        {
            throw UnsupportedFiles.Refused(
                file,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"its marks '{SigmaMin}' and '{SigmaMax}' say {smallest} to {largest}, which is no range of noise levels"
                )
            );
        }
    }

    /// <summary>Changes the configs of the family's published models to those of a marked file.</summary>
    public static void Apply(SafetensorsFile file, JsonNode configs)
    {
        if (file.Tensors.ContainsKey(Mean))
        {
            configs["scheduler"] = new JsonObject
            {
                ["_class_name"] = "EDMDPMSolverMultistepScheduler",
                ["prediction_type"] = "epsilon",
                ["sigma_data"] = 0.5,
                ["sigma_max"] = 80.0,
                ["sigma_min"] = DefaultSigmaMin,
                ["sigma_schedule"] = "karras",
                ["solver_order"] = 2,
            };
            configs["vae"]!["latents_mean"] = List(Values(file, Mean));
            configs["vae"]!["latents_std"] = List(Values(file, Deviation));
            configs["vae"]!["scaling_factor"] = LatentScaling;
        }
        else if (file.Tensors.ContainsKey(SigmaMax))
        {
            var (largest, smallest) = Range(file);
            configs["scheduler"] = new JsonObject
            {
                ["_class_name"] = "EDMEulerScheduler",
                ["prediction_type"] = "v_prediction",
                ["sigma_data"] = 1.0,
                ["sigma_max"] = largest,
                ["sigma_min"] = smallest,
                ["sigma_schedule"] = "exponential",
            };
        }
    }

    /// <summary>The marks of a model folder that was trained as EDM.</summary>
    /// <param name="noise">Its noise process.</param>
    /// <param name="vae">Its autoencoder.</param>
    /// <param name="path">The folder, for the message.</param>
    /// <exception cref="DtiException">No marks say what its configs say.</exception>
    public static IReadOnlyList<CheckpointMark> Of(EdmConfig noise, AutoencoderKLConfig vae, string path) =>
        (noise, vae.Statistics) switch
        {
            (
                { PredictionType: PredictionType.Epsilon, SigmaData: 0.5, SigmaMax: 80, SigmaMin: DefaultSigmaMin },
                { } statistics
            ) when vae is { LatentChannels: Channels, ScalingFactor: LatentScaling } =>
            [
                new(Mean, [1, Channels, 1, 1], Floats(statistics.Mean)),
                new(Deviation, [1, Channels, 1, 1], Floats(statistics.Deviation)),
            ],
            ({ PredictionType: PredictionType.VPrediction, SigmaData: 1 }, null) =>
            [
                new(SigmaMax, [], (float)noise.SigmaMax),
                new(SigmaMin, [], (float)noise.SigmaMin),
            ],
            _ => throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path}: a single file can say that a model was trained as EDM only with the settings of Playground 2.5 (epsilon, sigma_data 0.5, sigma 0.002 to 80, latents_mean and "
                    + "latents_std, scaling_factor 0.5) or of CosXL (v_prediction, sigma_data 1). Use the folder as it is."
            ),
        };

    private static void RequireBoth(SafetensorsFile file, string mark, string other)
    {
        if (file.Tensors.ContainsKey(mark) && !file.Tensors.ContainsKey(other))
        {
            throw UnsupportedFiles.Refused(
                file,
                $"it is marked '{mark}' and not '{other}', without which it says nothing"
            );
        }
    }

    private static (double Largest, double Smallest) Range(SafetensorsFile file) =>
        (Values(file, SigmaMax)[0], file.Tensors.ContainsKey(SigmaMin) ? Values(file, SigmaMin)[0] : DefaultSigmaMin);

    /// <summary>The shortest decimal numbers that are these values in fp32.</summary>
    private static double[] Values(SafetensorsFile file, string name)
    {
        using var scope = NewDisposeScope();
        return
        [
            .. file.Read(name)
                .to(ScalarType.Float32)
                .flatten()
                .data<float>()
                .ToArray()
                .Select(value => (double)(decimal)value),
        ];
    }

    private static JsonArray List(double[] values) => [.. values.Select(value => (JsonNode)value)];

    private static float[] Floats(double[] values) => Array.ConvertAll(values, value => (float)value);
}
