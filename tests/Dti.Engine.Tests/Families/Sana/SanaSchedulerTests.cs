using System.Globalization;
using System.Text.Json;
using Dti.Engine.Generation;
using Dti.Engine.Models.Families.Sana;
using Dti.Engine.Schedulers;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Families.Sana;

/// <summary>Noise levels, steps, training times and image sizes against diffusers.</summary>
public class SanaSchedulerTests
{
    public static TheoryData<string> Schedulers() =>
        [
            .. Names()
                .Where(name =>
                    !name.EndsWith("_order1", StringComparison.Ordinal)
                    && !name.EndsWith("_heun", StringComparison.Ordinal)
                ),
        ];

    [Theory]
    [MemberData(nameof(Schedulers))]
    public void CreateSampler_FlowSigmas_HasDiffusersLevelsAndTimes(string name)
    {
        using var json = SanaFixture.Json("schedulers.json");
        using var golden = new Golden(SanaFixture.Expected("schedulers.safetensors"));
        var config = Config(json, name);
        foreach (var entry in json.RootElement.GetProperty("timesteps").EnumerateObject())
        {
            if (entry.Name.Split('/') is [var own, var steps] && own == name)
            {
                using var sampler = config.CreateSampler(
                    config.DefaultSampler,
                    int.Parse(steps, CultureInfo.InvariantCulture)
                );
                var times = entry.Value.EnumerateArray().Select(time => time.GetDouble()).ToArray();

                Assert.Equal(times, sampler.Timesteps, (a, b) => Math.Abs(a - b) <= 1e-5 * a);
                double[] sigmas =
                [
                    .. sampler.Sigmas.Select(sigma => sampler is EulerScheduler ? sigma : sigma / (1 + sigma)),
                ];
                golden.AssertClose($"sigmas/{entry.Name}", tensor(sigmas));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Schedulers))]
    public void Step_FlowSigmas_FollowsDiffusersTrajectory(string name)
    {
        using var json = SanaFixture.Json("schedulers.json");
        using var golden = new Golden(SanaFixture.Expected("schedulers.safetensors"));
        var config = Config(json, name);
        foreach (var steps in new[] { 10, 17 })
        {
            using var scope = NewDisposeScope();
            using var sampler = config.CreateSampler(config.DefaultSampler, steps);
            var x = golden["unit_noise"];
            Tensor[] trajectory = new Tensor[steps + 1];
            trajectory[0] = x;
            for (var call = 0; call < steps; call++)
            {
                var output = (0.3 * x) + (0.1 * Math.Sin(sampler.Timesteps[call] / 100));
                x = trajectory[call + 1] = sampler.Step(output, call, x, () => throw new InvalidOperationException());
            }

            golden.AssertClose($"trajectory/{name}/{steps}", stack(trajectory));
        }
    }

    [Theory]
    [InlineData("order1", "solver_order")]
    [InlineData("heun", "solver_type")]
    public void Parse_SolverThatIsNotImplemented_IsNamed(string variant, string key)
    {
        using var json = SanaFixture.Json("schedulers.json");

        var error = Assert.Throws<DtiException>(() => Config(json, $"dpm_flow_shift3_{variant}"));

        Assert.Contains(key, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_OtherClass_IsNamed() =>
        Assert.Contains(
            "SCMScheduler",
            Assert
                .Throws<DtiException>(() =>
                    FlowMatchingConfig.Parse(JsonSerializer.SerializeToElement(new { _class_name = "SCMScheduler" }))
                )
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void SampleTimesteps_SolversConfig_IsTheTableThatTrainingReads()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected("schedulers.safetensors"));
        var config = FlowMatchingConfig.Parse(
            JsonDocument
                .Parse(
                    File.ReadAllText(Path.Combine(SanaFixture.Folder, "scheduler", "scheduler_config.json"))
                        .Replace("-Infinity", "null", StringComparison.Ordinal)
                )
                .RootElement
        );
        using var process = config.CreateProcess();
        var table = golden["training_table/timesteps"];

        var times = process.SampleTimesteps(5000, new Generator(1, CPU));
        var index = (1000 - times).round().to(ScalarType.Int64);
        Assert.True(times.eq(table.index_select(0, index)).all().item<bool>());
        Assert.True(times.min().item<float>() < 10 && times.max().item<float>() > 990);

        var ones = ones_like(table).view(-1, 1, 1, 1);
        golden.AssertClose("training_table/sigmas", process.AddNoise(zeros_like(ones), ones, table).flatten());
        var chosen = table.index_select(0, golden["add_noise/index"]);
        golden.AssertClose(
            "add_noise/noisy",
            process.AddNoise(golden["add_noise/x0"], golden["add_noise/noise"], chosen)
        );
        golden.AssertClose(
            "add_noise/target",
            process.Target(golden["add_noise/x0"], golden["add_noise/noise"], chosen)
        );
    }

    [Fact]
    public void Nearest_FixtureSizes_ChoosesThePipelines()
    {
        using var json = SanaFixture.Json("binning.json");
        foreach (var entry in json.RootElement.GetProperty("classify").EnumerateArray())
        {
            int Number(string key) => entry.GetProperty(key).GetInt32();
            var binned = entry.GetProperty("binned").EnumerateArray().Select(side => side.GetInt32()).ToArray();

            Assert.Equal(
                (binned[1], binned[0]),
                SanaResolutions.Nearest(32 * Number("sample_size"), Number("width"), Number("height"))
            );
        }

        foreach (var table in json.RootElement.GetProperty("tables").EnumerateObject())
        {
            foreach (var size in table.Value.EnumerateObject())
            {
                var (height, width) = (size.Value[0].GetInt32(), size.Value[1].GetInt32());
                Assert.Equal(
                    (width, height),
                    SanaResolutions.Nearest(32 * int.Parse(table.Name, CultureInfo.InvariantCulture), width, height)
                );
            }
        }

        Assert.Null(SanaResolutions.Nearest(768, 512, 512));
    }

    [Fact]
    public void Resized_FixtureImages_AreThePipelines()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected("binning.safetensors"));
        foreach (var name in golden.Names.Select(key => key.Split('/')[0]).Distinct())
        {
            var output = golden[$"{name}/output"];
            golden.AssertClose(
                $"{name}/output",
                TextToImage.Resized(golden[$"{name}/input"], (int)output.shape[3], (int)output.shape[2])
            );
        }
    }

    private static IEnumerable<string> Names()
    {
        using var json = SanaFixture.Json("schedulers.json");
        return [.. json.RootElement.GetProperty("constructor").EnumerateObject().Select(entry => entry.Name)];
    }

    private static FlowMatchingConfig Config(JsonDocument json, string name)
    {
        var arguments = json.RootElement.GetProperty("constructor").GetProperty(name);
        var keys = arguments.EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value);
        keys["_class_name"] = keys["class"];
        return FlowMatchingConfig.Parse(JsonSerializer.SerializeToElement(keys));
    }
}
