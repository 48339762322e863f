using System.Globalization;
using System.Text.Json;
using Dti.Engine.Schedulers;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Schedulers;

/// <summary>Noise schedules, timesteps and trajectories against diffusers, relative error at most 1e-5.</summary>
public class SchedulerParityTests
{
    public static TheoryData<string> Entries(string key)
    {
        using var json = Expected();
        return
        [
            .. json
                .RootElement.GetProperty(key)
                .EnumerateObject()
                .Select(entry => entry.Name)
                .Where(name => SchedulerFactory.Names.Contains(name.Split('/')[0])),
        ];
    }

    [Theory]
    [InlineData("linear", 0.0001, 0.02)]
    [InlineData("scaled_linear", 0.00085, 0.012)]
    public void NoiseSchedule_BothKinds_MatchesDiffusers(string kind, double start, double end)
    {
        using var golden = new Golden(Fixtures.Common("schedulers.safetensors"));
        var json = string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"beta_start": {{start}}, "beta_end": {{end}}, "beta_schedule": "{{kind}}"}"""
        );
        using var schedule = new DdpmProcess(Config(json));

        golden.AssertClose($"ddpm/{kind}/betas", schedule.Betas);
        golden.AssertClose($"ddpm/{kind}/alphas_cumprod", schedule.AlphasCumprod);
    }

    [Fact]
    public void NoiseSchedule_AddNoiseAndVelocity_MatchDiffusers()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(Fixtures.Common("schedulers.safetensors"));
        using var schedule = new DdpmProcess(
            Config("""{"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}""")
        );
        var (x0, noise, t) = (golden["ddpm/x0"], golden["ddpm/noise"], golden["ddpm/timesteps"]);

        golden.AssertClose("ddpm/add_noise", schedule.AddNoise(x0, noise, t));
        golden.AssertClose("ddpm/velocity", schedule.Velocity(x0, noise, t));
        golden.AssertClose("ddpm/x0", schedule.Original(golden["ddpm/add_noise"], golden["ddpm/velocity"], t));
    }

    [Theory]
    [MemberData(nameof(Entries), "timesteps")]
    public void Timesteps_EverySpacing_MatchDiffusers(string entry)
    {
        using var json = Expected();
        using var golden = new Golden(Fixtures.Common("schedulers.safetensors"));
        var parts = entry.Split('/');
        var expected = json.RootElement.GetProperty("timesteps").GetProperty(entry);

        using var scheduler = SchedulerFactory.Create(
            parts[0],
            Config(json, parts[0], parts[1], "epsilon"),
            int.Parse(parts[2], null)
        );

        Assert.Equal(
            expected.GetProperty("timesteps").EnumerateArray().Select(t => t.GetDouble()),
            scheduler.Timesteps,
            (a, b) => Math.Abs(a - b) <= golden.Tolerance($"sigmas/{entry}") * Math.Max(1, a)
        );
        Assert.Equal(
            expected.GetProperty("init_noise_sigma").GetDouble(),
            scheduler.InitNoiseSigma,
            golden.Tolerance($"sigmas/{entry}") * scheduler.InitNoiseSigma
        );
        if (scheduler.Sigmas.Count > 0)
        {
            using var sigmas = tensor(scheduler.Sigmas.ToArray());
            golden.AssertClose($"sigmas/{entry}", sigmas);
        }
    }

    [Theory]
    [MemberData(nameof(Entries), "trajectories")]
    public void Step_TenSteps_FollowsDiffusers(string entry)
    {
        using var scope = NewDisposeScope();
        using var json = Expected();
        using var golden = new Golden(Fixtures.Common("schedulers.safetensors"));
        var parts = entry.Split('/');
        var expected = golden[$"trajectory/{entry}"];
        using var scheduler = SchedulerFactory.Create(parts[0], Config(json, parts[0], parts[1], parts[2]), 10);

        var x = golden["unit_noise"] * scheduler.InitNoiseSigma;
        golden.AssertClose($"trajectory/{entry}", x, recorded => recorded[0]);
        for (var call = 0; call < scheduler.Timesteps.Count; call++)
        {
            var output = (0.3 * scheduler.ScaleModelInput(x, call)) + (0.1 * Math.Sin(scheduler.Timesteps[call] / 100));
            x = scheduler.Step(output, call, x, () => golden["ancestral_noise"][call]);
            golden.AssertClose($"trajectory/{entry}", x, recorded => recorded[call + 1]);
        }

        Assert.Equal(expected.shape[0], scheduler.Timesteps.Count + 1);
    }

    [Theory]
    [MemberData(nameof(NamesAndPredictions))]
    public void Denoised_ModelThatIsRight_IsTheCleanSample(string name, string prediction)
    {
        using var scope = NewDisposeScope();
        var config = Config(
            $$"""{"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "{{prediction}}", "timestep_spacing": "leading", "clip_sample": false}"""
        );
        using var schedule = new DdpmProcess(config);
        using var scheduler = SchedulerFactory.Create(name, config, 10);
        using var generator = new Generator(1, CPU);
        var (x0, noise) = (randn([1, 4, 8, 8], generator: generator), randn([1, 4, 8, 8], generator: generator));
        for (var call = 0; call < scheduler.Timesteps.Count; call++)
        {
            var t = tensor(new[] { (long)scheduler.Timesteps[call] });
            var noisy = schedule.AddNoise(x0, noise, t);
            // those that count in σ scale the sample for the model
            var sample = noisy / scheduler.ScaleModelInput(ones(1), call);
            Golden.AssertClose(
                x0,
                scheduler.Denoised(schedule.Target(x0, noise, t), call, sample),
                1e-4,
                $"call {call}"
            );
        }
    }

    [Fact]
    public void Resolve_UnknownName_ListsTheNames()
    {
        var error = Assert.Throws<DtiException>(() => SchedulerFactory.Resolve("heun", Config("{}")));
        Assert.Equal(
            "scheduler 'heun' is not one of ddim, dpmpp_2m, dpmpp_2m_karras, euler, euler_ancestral, euler_karras, pndm.",
            error.Message
        );
    }

    [Theory]
    [InlineData("""{"beta_schedule": "squaredcos_cap_v2"}""", "beta_schedule")]
    [InlineData("""{"prediction_type": "sample"}""", "prediction_type")]
    [InlineData("""{"timestep_spacing": "sideways"}""", "timestep_spacing")]
    [InlineData("""{"num_train_timesteps": 1e9}""", "num_train_timesteps")]
    public void Parse_UnsupportedValue_NamesTheKey(string json, string key) =>
        Assert.Contains(key, Assert.Throws<DtiException>(() => Config(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Create_MoreStepsThanTrained_IsRefused() =>
        Assert.Equal(
            "steps",
            Assert.Throws<DtiException>(() => SchedulerFactory.Create("ddim", Config("{}"), 1001)).Field
        );

    [Theory]
    [MemberData(nameof(AllNames))]
    public void Step_AsManyStepsAsTrained_StaysWithinTheSchedule(string name)
    {
        using var scope = NewDisposeScope();
        using var scheduler = SchedulerFactory.Create(
            name,
            Config("""{"steps_offset": 1, "beta_schedule": "scaled_linear"}"""),
            name == "dpmpp_2m" ? 999 : 1000
        );
        var x = ones(1, 4, 2, 2);
        for (var call = 0; call < scheduler.Timesteps.Count; call++)
        {
            x = scheduler.Step(x * 0.1, call, x, () => ones(1, 4, 2, 2));
        }

        Assert.InRange(scheduler.Timesteps[0], 0, 999);
        Assert.True(x.isfinite().all().item<bool>());
    }

    /// <summary>
    /// On libtorch's meta device tensors have shapes and no values: looking at one throws, and so does mixing in a
    /// tensor that was left on the CPU.
    /// </summary>
    [Theory]
    [MemberData(nameof(AllNames))]
    public void Step_OnADevice_StaysThereAndWaitsForNoValue(string name)
    {
        using var scope = NewDisposeScope();
        var device = new Device(TorchSharp.DeviceType.META);
        using var scheduler = SchedulerFactory.Create(
            name,
            Config("""{"steps_offset": 1, "beta_schedule": "scaled_linear"}"""),
            10
        );
        var x = ones([1, 4, 2, 2], device: device) * scheduler.InitNoiseSigma;
        for (var call = 0; call < scheduler.Timesteps.Count; call++)
        {
            var output = scheduler.ScaleModelInput(x, call) * 0.1;
            Assert.Equal(device.type, scheduler.Denoised(output, call, x).device_type);
            x = scheduler.Step(output, call, x, () => ones([1, 4, 2, 2], device: device));
        }

        Assert.Equal(device.type, x.device_type);
    }

    public static TheoryData<string> AllNames() => [.. SchedulerFactory.Names];

    /// <summary>Without those whose noise levels lie between training steps.</summary>
    public static TheoryData<string, string> NamesAndPredictions()
    {
        var rows = new TheoryData<string, string>();
        foreach (var name in SchedulerFactory.Names.Where(name => !name.EndsWith("karras", StringComparison.Ordinal)))
        {
            rows.Add(name, "epsilon");
            rows.Add(name, "v_prediction");
        }

        return rows;
    }

    private static JsonDocument Expected() => JsonDocument.Parse(File.ReadAllText(Fixtures.Common("schedulers.json")));

    private static SchedulerConfig Config(JsonDocument json, string scheduler, string spacing, string prediction)
    {
        var values = json
            .RootElement.GetProperty("constructor")
            .GetProperty(scheduler)
            .EnumerateObject()
            .ToDictionary(pair => pair.Name, pair => (object)pair.Value);
        values.Remove("class", out var name);
        values["_class_name"] = name!;
        values["timestep_spacing"] = spacing;
        values["prediction_type"] = prediction;
        return Config(JsonSerializer.Serialize(values));
    }

    private static SchedulerConfig Config(string json)
    {
        using var document = JsonDocument.Parse(json);
        return SchedulerConfig.Parse(document.RootElement.Clone());
    }
}
