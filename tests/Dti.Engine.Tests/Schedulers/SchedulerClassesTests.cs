using System.Text.Json;
using System.Text.Json.Nodes;
using Dti.Engine.Configs;
using Dti.Engine.Generation;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Schedulers;

/// <summary>
/// Every key of diffusers' scheduler classes, by their documented signatures, is read, known to be harmless, or refused
/// by name.
/// </summary>
public sealed class SchedulerClassesTests : IDisposable
{
    private static readonly JsonNode _signatures = JsonNode.Parse(
        File.ReadAllText(Fixtures.Common("diffusers_schedulers.json"))
    )!;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-schedulers-");

    public void Dispose() => _folder.Delete(recursive: true);

    public static TheoryData<string> Classes() => [.. _signatures["classes"]!.AsObject().Select(entry => entry.Key)];

    [Theory]
    [MemberData(nameof(Classes))]
    public void Parse_DefaultsOfAClass_AreReadOrItsNameIsRefused(string name)
    {
        var known = SchedulerClasses.Implemented.ContainsKey(name) || SchedulerClasses.Substitutes.ContainsKey(name);
        if (!known)
        {
            Assert.Contains(
                $"'{name}'",
                Assert.Throws<DtiException>(() => Parse(Defaults(name))).Message,
                StringComparison.Ordinal
            );
            return;
        }

        var config = Parse(Defaults(name));
        Assert.Equal(name, config.ClassName);
        Assert.Equal(SchedulerClasses.Substitutes.ContainsKey(name) ? name : null, config.SubstitutedClass);
        Assert.Contains(config.DefaultSampler, SchedulerFactory.Names);
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void Parse_AnotherValueOfAnyKey_ChangesTheConfigOrIsRefusedByNameOrIsHarmless(string name)
    {
        if (!SchedulerClasses.Implemented.ContainsKey(name) && !SchedulerClasses.Substitutes.ContainsKey(name))
        {
            return; // refused whatever its keys say
        }

        var defaults = Parse(Defaults(name));
        foreach (var (key, value) in _signatures["classes"]![name]!.AsObject())
        {
            var changed = Defaults(name);
            changed[key] = key switch
            {
                "set_alpha_to_one" or "clip_sample" or "predict_x0" or "lower_order_final" => !value!.GetValue<bool>(),
                "beta_schedule" => value!.GetValue<string>() == "linear" ? "scaled_linear" : "linear",
                "timestep_spacing" => value!.GetValue<string>() == "leading" ? "trailing" : "leading",
                _ => _signatures["other"]![key]!.DeepClone(),
            };
            var (config, error) = (default(SchedulerConfig), default(DtiException));
            try
            {
                config = Parse(changed);
            }
            catch (DtiException refused)
            {
                error = refused;
            }

            var isOfASampler =
                SchedulerClasses.Substitutes.ContainsKey(name) && !SchedulerClasses.Read.Contains(key) && error is null;
            Assert.True(
                (error is not null && error.Message.Contains(key, StringComparison.Ordinal))
                    || (config is not null && config != defaults)
                    || SchedulerClasses.Harmless.Contains(key)
                    || isOfASampler,
                $"{name}.{key}: {error?.Message ?? "has no effect"}"
            );
        }
    }

    /// <summary>The classes of models trained as EDM.</summary>
    [Theory]
    [InlineData("EDMEulerScheduler", "euler")]
    [InlineData("EDMDPMSolverMultistepScheduler", "dpmpp_2m")]
    public void Parse_AnotherValueOfAnyKeyOfEdm_ChangesTheConfigOrIsRefusedByNameOrIsHarmless(
        string name,
        string sampler
    )
    {
        var defaults = StableDiffusionNoise.Parse(JsonSerializer.SerializeToElement(Defaults(name)));
        Assert.Equal((name, sampler), (defaults.ClassName, defaults.DefaultSampler));
        foreach (var (key, _) in _signatures["classes"]![name]!.AsObject())
        {
            var changed = Defaults(name);
            changed[key] = key switch
            {
                "sigma_schedule" => "exponential",
                "sigma_data" or "rho" => 3.0,
                _ => _signatures["other"]![key]!.DeepClone(),
            };
            try
            {
                Assert.True(
                    StableDiffusionNoise.Parse(JsonSerializer.SerializeToElement(changed)) != defaults
                        || key == "num_train_timesteps"
                        || SchedulerClasses.Harmless.Contains(key),
                    $"{name}.{key} has no effect"
                );
            }
            catch (DtiException refused)
            {
                Assert.Contains(key, refused.Message, StringComparison.Ordinal);
            }
        }

        var unknown = Defaults(name);
        unknown["sigma_dta"] = 1.0;
        Assert.Contains(
            "'sigma_dta'",
            Assert
                .Throws<DtiException>(() => StableDiffusionNoise.Parse(JsonSerializer.SerializeToElement(unknown)))
                .Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>
    /// What is about the noise that a model was trained with is refused also where the sampler is substituted.
    /// </summary>
    [Theory]
    [MemberData(nameof(Classes))]
    public void Parse_NoiseThatIsNotImplemented_IsRefusedForEveryClass(string name)
    {
        foreach (var key in new[] { "trained_betas", "thresholding", "use_flow_sigmas", "use_dynamic_shifting" })
        {
            var config = Defaults(name);
            config[key] = _signatures["other"]![key]!.DeepClone();
            Assert.Throws<DtiException>(() => Parse(config));
        }
    }

    [Theory]
    [InlineData("DDIMScheduler")]
    [InlineData("EulerDiscreteScheduler")]
    [InlineData("UniPCMultistepScheduler")]
    public void Parse_KeyOfNoClass_IsRefusedByName(string name)
    {
        var config = Defaults(name);
        config["betta_start"] = 0.1;
        Assert.Contains(
            "'betta_start'",
            Assert.Throws<DtiException>(() => Parse(config)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("{}", false, true, 0)]
    [InlineData("""{"_class_name": "DDIMScheduler"}""", false, true, 0)]
    [InlineData("""{"_class_name": "DDIMScheduler", "clip_sample": true}""", true, true, 0)]
    [InlineData("""{"_class_name": "FlaxPNDMScheduler"}""", false, false, 0)]
    [InlineData("""{"_class_name": "UniPCMultistepScheduler"}""", false, false, 1)]
    [InlineData("""{"_class_name": "DDPMScheduler", "clip_sample": true, "steps_offset": 0}""", true, false, 0)]
    public void Parse_KeysThatAreAbsent_NeverClipAndTakeTheFamilysDefaults(
        string json,
        bool clips,
        bool toOne,
        int offset
    )
    {
        var config = Parse(JsonNode.Parse(json)!.AsObject());
        Assert.Equal((clips, toOne, offset), (config.ClipSample, config.SetAlphaToOne, config.StepsOffset));
    }

    /// <summary>What Python's json writes for DPMSolverMultistepScheduler's default.</summary>
    [Fact]
    public void Read_InfinityAsPythonWritesIt_IsTheDefault()
    {
        var path = Path.Combine(_folder.FullName, "scheduler_config.json");
        File.WriteAllText(
            path,
            """{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "flow_shift": 1.0, "x": [NaN, Infinity]}"""
        );
        using var json = BoundedJson.Read(path);

        Assert.Equal("-Infinity", json.RootElement.GetProperty("lambda_min_clipped").GetString());
        Assert.Equal(
            ["NaN", "Infinity"],
            json.RootElement.GetProperty("x").EnumerateArray().Select(item => item.GetString())
        );
        Assert.Throws<DtiException>(() => Parse(JsonNode.Parse("""{"beta_start": "NaN"}""")!.AsObject()));
    }

    [Fact]
    public void Run_ClassThatIsNotImplemented_WarnsWithTheSubstitute()
    {
        var model = Fixtures.CopyModel("tiny-sd15", Path.Combine(_folder.FullName, "unipc"));
        var path = Path.Combine(model, "scheduler", "scheduler_config.json");
        File.WriteAllText(
            path,
            File.ReadAllText(path).Replace("PNDMScheduler", "UniPCMultistepScheduler", StringComparison.Ordinal)
        );
        using var loaded = ModelFamilies.BuiltIn.Read(model).Load(new ComputeTarget(CPU, ScalarType.Float32));

        GenerationWarning[] Warnings(string? scheduler) =>
            [
                .. new TextToImage(loaded)
                    .Run(
                        GenerationSettings.Resolve(
                            new GenerationOptions
                            {
                                Prompt = "a",
                                Steps = 1,
                                Width = 64,
                                Height = 64,
                                Scheduler = scheduler,
                            },
                            loaded.Profile,
                            () => 1
                        ),
                        [],
                        TestContext.Current.CancellationToken
                    )
                    .OfType<GenerationWarning>(),
            ];

        var warning = Assert.Single(Warnings(null));
        Assert.Equal("SCHEDULER_SUBSTITUTED", warning.Code);
        Assert.Contains(
            "UniPCMultistepScheduler, which is not implemented: dpmpp_2m takes its place",
            warning.Message,
            StringComparison.Ordinal
        );
        Assert.Empty(Warnings("euler"));
    }

    [Fact]
    public void Formats_EveryClassAndKey_IsInTheDocumentation()
    {
        var text = File.ReadAllText(Path.Combine(Fixtures.Repository, "docs", "formats.md"));
        var names = _signatures["classes"]!
            .AsObject()
            .SelectMany(entry => entry.Value!.AsObject().Select(key => key.Key).Prepend(entry.Key));
        var own = SchedulerClasses
            .Implemented.Keys.Concat(SchedulerClasses.Substitutes.Keys)
            .Concat(SchedulerClasses.Edm.Keys)
            .Where(name => name.Length > 0);
        Assert.All(own, name => Assert.Contains(name, text, StringComparison.Ordinal));
        Assert.All(
            names
                .Distinct()
                .Where(key =>
                    SchedulerClasses.Read.Contains(key)
                    || SchedulerClasses.ReadOfEdm.Contains(key)
                    || SchedulerClasses.Harmless.Contains(key)
                ),
            key => Assert.Contains($"`{key}`", text, StringComparison.Ordinal)
        );
    }

    private static JsonObject Defaults(string name)
    {
        var json = _signatures["classes"]![name]!.DeepClone().AsObject();
        json["_class_name"] = name;
        return json;
    }

    private static SchedulerConfig Parse(JsonObject json) =>
        SchedulerConfig.Parse(JsonSerializer.SerializeToElement(json));
}
