using System.Text.Json;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Schedulers;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Schedulers;

/// <summary>What training asks of a model is what samplers take it for.</summary>
public class NoiseProcessTests
{
    public static TheoryData<string> Processes() =>
        ["ddpm/epsilon", "ddpm/v_prediction", "ddpm/v_prediction/zero_snr", "edm/epsilon", "edm/v_prediction", "flow"];

    public static TheoryData<string, string> Samplers()
    {
        var rows = new TheoryData<string, string>();
        foreach (var process in new[] { "edm/epsilon", "edm/v_prediction", "flow" })
        {
            // The ancestral sampler adds noise until the last step, which an oracle takes away.
            foreach (var sampler in Config(process).Samplers)
            {
                rows.Add(process, sampler);
            }
        }

        return rows;
    }

    /// <summary>
    /// EDM and zero terminal SNR as diffusers samples them. The model of the recorded runs gives 0.3·input +
    /// 0.1·sin(t/100), for EDM sin(4t).
    /// </summary>
    [Theory]
    [MemberData(nameof(Recorded))]
    public void Step_TenSteps_FollowsDiffusers(string run)
    {
        using var scope = NewDisposeScope();
        using var json = JsonDocument.Parse(File.ReadAllText(Fixtures.Common("noise_processes.json")));
        using var golden = new Golden(Fixtures.Common("noise_processes.safetensors"));
        var (config, isEdm) = (
            StableDiffusionNoise.Parse(json.RootElement.GetProperty(run)),
            run.StartsWith("edm", StringComparison.Ordinal)
        );
        Assert.Equal(run.Split('/')[1], config.DefaultSampler);
        using var sampler = config.CreateSampler(config.DefaultSampler, 10);

        golden.AssertClose("timesteps/" + run, tensor(sampler.Timesteps.Select(time => (float)time).ToArray()));
        if (golden.Has("sigmas/" + run))
        {
            golden.AssertClose("sigmas/" + run, tensor(sampler.Sigmas.ToArray()));
        }

        var x = golden["noise"] * sampler.InitNoiseSigma;
        golden.AssertClose("trajectory/" + run, x, recorded => recorded[0]);
        for (var call = 0; call < sampler.Timesteps.Count; call++)
        {
            var output =
                (0.3 * sampler.ScaleModelInput(x, call))
                + (0.1 * Math.Sin(sampler.Timesteps[call] * (isEdm ? 4 : 0.01)));
            x = sampler.Step(output, call, x, () => golden["ancestral_noise"][call]);
            golden.AssertClose("trajectory/" + run, x, recorded => recorded[call + 1]);
        }
    }

    public static TheoryData<string> Recorded()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Fixtures.Common("noise_processes.json")));
        return [.. json.RootElement.EnumerateObject().Select(run => run.Name)];
    }

    /// <summary>
    /// What ComfyUI computes for CosXL (ModelSamplingContinuousEDM with V_PREDICTION): D = x·σd²/(σ² + σd²) −
    /// F·σ·σd/√(σ² + σd²), t = ln(σ)/4.
    /// </summary>
    [Theory]
    [InlineData(0.002)]
    [InlineData(0.7)]
    [InlineData(120)]
    public void EdmProcess_VPrediction_IsComfyUIsContinuousEdm(double sigma)
    {
        using var scope = NewDisposeScope();
        using var process = Config("edm/v_prediction").CreateProcess();
        var (sample, output) = Pair();
        var (data, level) = (0.5, new NoiseLevel(1, sigma));
        var square = (sigma * sigma) + (data * data);

        Golden.AssertClose(
            (sample * (data * data / square)) - (output * (sigma * data / Math.Sqrt(square))),
            process.Denoised(sample, output, level),
            1e-6
        );
        Golden.AssertClose(sample / Math.Sqrt(square), process.ScaleModelInput(sample, level), 1e-6);
        Assert.Equal(Math.Log(sigma) / 4, EdmProcess.Time(sigma), 1e-12);
    }

    [Theory]
    [MemberData(nameof(Processes))]
    public void Denoised_OfTheTrainingTarget_IsTheImage(string name)
    {
        using var scope = NewDisposeScope();
        using var process = Config(name).CreateProcess();
        var (x0, noise) = Pair();
        foreach (var share in new[] { 0.05, 0.3, 0.6, 0.95 })
        {
            var times = process.TimesAt([share]);
            var level = Level(name, process, times);

            var found = process.Denoised(
                (level.Signal * x0) + (level.Noise * noise),
                process.Target(x0, noise, times),
                level
            );

            Golden.AssertClose(x0, found, 1e-4, $"at {share}");
        }
    }

    [Theory]
    [MemberData(nameof(Processes))]
    public void AddNoise_AnyTime_IsWhatSamplersShowTheModel(string name)
    {
        using var scope = NewDisposeScope();
        using var process = Config(name).CreateProcess();
        var (x0, noise) = Pair();
        var times = process.TimesAt([0.5]);
        var level = Level(name, process, times);

        var shown = process.ScaleModelInput((level.Signal * x0) + (level.Noise * noise), level);

        Golden.AssertClose(process.AddNoise(x0, noise, times), shown, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Processes))]
    public void DrawTimes_SameGenerator_IsRepeatableAndWithinTheProcess(string name)
    {
        using var scope = NewDisposeScope();
        using var process = Config(name).CreateProcess();
        var (x0, noise) = (
            randn([64, 4, 2, 2], generator: new Generator(1, CPU)),
            randn([64, 4, 2, 2], generator: new Generator(2, CPU))
        );

        var times = process.SampleTimesteps(64, new Generator(3, CPU));

        Assert.Equal([64], times.shape);
        Assert.True(times.eq(process.SampleTimesteps(64, new Generator(3, CPU))).all().item<bool>());
        Assert.True(process.AddNoise(x0, noise, times).isfinite().all().item<bool>());
        Assert.True(process.Target(x0, noise, times).isfinite().all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(Samplers))]
    public void CreateSampler_ModelThatKnowsTheImage_EndsAtTheImage(string name, string sampler)
    {
        using var scope = NewDisposeScope();
        var config = Config(name);
        using var process = config.CreateProcess();
        using var run = config.CreateSampler(sampler, 6);
        var (x0, noise) = Pair();
        var x = run.Sigmas[0] == 1 || name != "flow" ? noise * run.InitNoiseSigma : noise;
        for (var call = 0; call < run.Timesteps.Count; call++)
        {
            // What a model gives that takes the sample for the image plus what noise is left in it.
            double sigma = run.Sigmas[call];
            // the solver counts in noise per signal, and tells the model whole steps
            var level =
                name != "flow" ? new NoiseLevel(1, sigma)
                : sampler == "euler" ? Flow(1000 * sigma)
                : Flow(1000 * sigma / (1 + sigma));
            var left = (x - (level.Signal * x0)) / level.Noise;
            var output = process.Target(x0, left, tensor(new[] { (float)run.Timesteps[call] }));
            x = run.Step(output, call, x, () => noise);
        }

        Golden.AssertClose(x0, x, 1e-4, sampler);
    }

    [Fact]
    public void DdpmProcess_ZeroTerminalSnr_LeavesNoSignalInTheLastStep()
    {
        using var plain = new DdpmProcess((SchedulerConfig)Config("ddpm/v_prediction"));
        using var rescaled = new DdpmProcess((SchedulerConfig)Config("ddpm/v_prediction/zero_snr"));

        Assert.Equal(plain.Alphas[0], rescaled.Alphas[0], 1e-6f);
        Assert.True(plain.Alphas[^1] > 1e-3f);
        Assert.Equal(0, rescaled.Alphas[^1], 1e-9f);
        Assert.True(rescaled.Alphas.Zip(rescaled.Alphas.Skip(1)).All(pair => pair.Second < pair.First));
    }

    private static (Tensor X0, Tensor Noise) Pair() =>
        (randn([1, 4, 8, 8], generator: new Generator(1, CPU)), randn([1, 4, 8, 8], generator: new Generator(2, CPU)));

    private static NoiseLevel Level(string name, INoiseProcess process, Tensor times) =>
        process switch
        {
            DdpmProcess ddpm => ddpm.LevelAt((int)times.item<long>()),
            EdmProcess => new NoiseLevel(1, Math.Exp(4 * times.item<float>())),
            _ => Flow(times.item<float>()),
        };

    private static NoiseLevel Flow(double time) => new(1 - (time / 1000), time / 1000);

    private static NoiseProcessConfig Config(string name)
    {
        var parts = name.Split('/');
        Dictionary<string, object> keys = parts[0] switch
        {
            "flow" => new() { ["shift"] = 3.0 },
            "edm" => new() { ["prediction_type"] = parts[1] },
            _ => new()
            {
                ["prediction_type"] = parts[1],
                ["rescale_betas_zero_snr"] = parts.Length > 2,
                ["beta_start"] = 0.00085,
                ["beta_end"] = 0.012,
                ["beta_schedule"] = "scaled_linear",
            },
        };
        var json = JsonSerializer.SerializeToElement(keys);
        return parts[0] switch
        {
            "ddpm" => SchedulerConfig.Parse(json),
            "edm" => EdmConfig.Parse(json),
            _ => FlowMatchingConfig.Parse(json),
        };
    }
}
