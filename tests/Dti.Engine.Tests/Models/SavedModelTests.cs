using System.Text.Json.Nodes;
using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.Engine.Tests.Training;
using Dti.Engine.Training;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

/// <summary>
/// Tiny models as current diffusers and transformers save them (<c>tests/fixtures/saved/README.md</c>).
/// </summary>
public class SavedModelTests
{
    private static readonly string _saved = Path.Combine(Fixtures.Repository, "tests", "fixtures", "saved");

    [Theory]
    [InlineData("sd1", "fp32", "pndm", "epsilon")]
    [InlineData("sd2", "fp16", "ddim", "v_prediction")] // sharded, as a variant
    [InlineData("sdxl", "bf16", "euler", "epsilon")]
    public void Run_ModelSavedByCurrentDiffusers_GeneratesItsImage(
        string family,
        string dtype,
        string sampler,
        string prediction
    )
    {
        var profile = ModelFamilies.BuiltIn.Read(Path.Combine(_saved, family));
        Assert.Equal(
            (family, dtype, sampler, prediction),
            (
                profile.Family,
                profile.StoredDtype,
                profile.Noise.DefaultSampler,
                PredictionTypes.NameOf(profile.Noise.PredictionType)
            )
        );

        AssertGenerates(profile, "image");
    }

    /// <summary>The same weights with the configs of models that were trained otherwise.</summary>
    [Theory]
    [InlineData(
        "playground",
        """{"_class_name": "EDMDPMSolverMultistepScheduler", "sigma_data": 0.5, "sigma_max": 80.0, "sigma_min": 0.002, "prediction_type": "epsilon", "solver_order": 2}""",
        """{"latents_mean": [-1.6574, 1.886, -1.383, 2.5155], "latents_std": [8.4927, 5.9022, 6.5498, 5.2299], "scaling_factor": 0.5}"""
    )]
    [InlineData(
        "cosxl",
        """{"_class_name": "EDMEulerScheduler", "sigma_data": 1.0, "sigma_max": 120.0, "sigma_min": 0.002, "sigma_schedule": "exponential", "prediction_type": "v_prediction"}""",
        "{}"
    )]
    [InlineData(
        "zero_snr",
        """{"_class_name": "EulerDiscreteScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "v_prediction", "rescale_betas_zero_snr": true, "timestep_spacing": "trailing"}""",
        "{}"
    )]
    public void Run_ModelWithAnotherNoiseProcess_GeneratesDiffusersImage(string run, string scheduler, string vae)
    {
        var folder = Directory.CreateTempSubdirectory("dti-noise-");
        try
        {
            Fixtures.CopyModel(Path.Combine(_saved, "sdxl"), folder.FullName);
            File.WriteAllText(Path.Combine(folder.FullName, "scheduler", "scheduler_config.json"), scheduler);
            var path = Path.Combine(folder.FullName, "vae", "config.json");
            var config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
            foreach (var (key, value) in JsonNode.Parse(vae)!.AsObject())
            {
                config[key] = value!.DeepClone();
            }

            File.WriteAllText(path, config.ToJsonString());
            var profile = ModelFamilies.BuiltIn.Read(folder.FullName);
            AssertGenerates(profile, run, "sdxl");
            AssertLearns(profile);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void AssertLearns(ModelProfile profile)
    {
        using var model = profile.Load(new ComputeTarget(CPU, ScalarType.Float32));
        var settings = TrainingSettings.Resolve(
            new TrainingOptions
            {
                Steps = 3,
                BatchSize = 2,
                Resolution = 64,
                PreviewEvery = 0,
                Initializer = "a",
                Seed = 1,
            },
            "x",
            profile,
            () => 1
        );

        var events = new Trainer(model, settings, NoisePhotos.Load())
            .Run(TestContext.Current.CancellationToken)
            .ToList();

        var steps = events.OfType<TrainingStep>().ToArray();
        Assert.Equal(3, steps.Length);
        // a target of unit variance, and an untrained model
        Assert.All(steps, step => Assert.InRange(step.Loss, 0.1, 20));
        Assert.True(steps[^1].AngleDegrees > 0.5);
    }

    private static void AssertGenerates(ModelProfile profile, string run, string? family = null)
    {
        using var scope = NewDisposeScope();
        using var model = profile.Load(new ComputeTarget(CPU, ScalarType.Float32));
        var settings = GenerationSettings.Resolve(
            new GenerationOptions
            {
                Prompt = "a photo of a cat",
                NegativePrompt = "blue",
                Width = 64,
                Height = 64,
                Steps = 4,
                GuidanceScale = 5,
                Seed = 7,
            },
            profile,
            () => 1
        );
        var image = new TextToImage(model)
            .Run(settings, [], TestContext.Current.CancellationToken)
            .OfType<GeneratedImage>()
            .Single()
            .Image;

        using var golden = new Golden(Path.Combine(_saved, family ?? profile.Name, "expected", run + ".safetensors"));
        var expected = golden["image"].data<byte>().ToArray();
        Assert.All(expected.Zip(image.Pixels.ToArray()), pixel =>
            Assert.InRange(Math.Abs(pixel.First - pixel.Second), 0, 1)
        );
    }
}
