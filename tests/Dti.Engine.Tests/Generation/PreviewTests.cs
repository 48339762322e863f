using System.Text.Json.Nodes;
using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.Engine.Tests.Models;
using Dti.Engine.Tests.Runtime;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Generation;

/// <summary>Pictures in the making: they tell what comes, cost no tensor and change nothing.</summary>
public sealed class PreviewTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Schedulers() => [.. SchedulerFactory.Names];

    [Theory]
    [MemberData(nameof(Schedulers))]
    public void Run_WithPreviews_DrawsTheSamePictures(string scheduler)
    {
        var options = new GenerationOptions
        {
            Scheduler = scheduler,
            Steps = 5,
            ImageCount = 2,
        };

        var (without, with) = (Draw("tiny-sd15", options), Draw("tiny-sd15", options with { PreviewEvery = 2 }));

        var steps = with.OfType<SamplingStep>().ToArray();
        Assert.Equal(Enumerable.Range(1, 10), steps.Select(step => step.Step));
        Assert.Equal(
            [(2, 0), (4, 0), (7, 1), (9, 1)],
            steps.Where(step => step.Preview is not null).Select(step => (step.Step, step.Preview!.Index))
        );
        Assert.All(steps.Where(step => step.Preview is not null), step =>
            Assert.Equal((8, 8), (step.Preview!.Image.Width, step.Preview.Image.Height))
        );
        Assert.All(without.OfType<SamplingStep>(), step => Assert.Null(step.Preview));
        Assert.Equal(without.OfType<GeneratedImage>().Select(Bytes), with.OfType<GeneratedImage>().Select(Bytes));
    }

    [Fact]
    public void Run_EveryStepShown_LeavesNoTensor()
    {
        var model = models.Model("tiny-sdxl");
        var settings = GenerationSettings.Resolve(
            new GenerationOptions
            {
                Prompt = "a dog",
                Width = 64,
                Height = 64,
                Steps = 12,
                PreviewEvery = 1,
            },
            model.Profile,
            () => 1
        );

        var counts = new TextToImage(model)
            .Run(settings, [], Cancellation)
            .OfType<SamplingStep>()
            .Select(step => (Shown: step.Preview is not null, Tensors: LiveTensors.OfThisThread))
            .ToArray();

        Assert.All(counts, count => Assert.True(count.Shown));
        Assert.All(counts, count => Assert.Equal(counts[0].Tensors, count.Tensors));
    }

    /// <summary>
    /// The model that ships, whose map was fitted: from the middle on a preview is the picture, seen from afar.
    /// </summary>
    [Fact]
    public void Run_DtiMini_PreviewsComeToLookLikeThePicture()
    {
        using var mini = StableDiffusionModel.Load(
            ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Repository, "models", "dti-mini")),
            new ComputeTarget(CPU, ScalarType.Float32)
        );
        var settings = GenerationSettings.Resolve(
            new GenerationOptions
            {
                Prompt = "a photo of a red mug on a table",
                Steps = 10,
                PreviewEvery = 1,
            },
            mini.Profile,
            () => 3
        );

        var events = new TextToImage(mini).Run(settings, [], Cancellation).ToArray();

        using var scope = NewDisposeScope();
        var picture = nn.functional.avg_pool2d(
            events.OfType<GeneratedImage>().Single().Image.ToTensor().unsqueeze(0),
            8
        )[0];
        double[] differences =
        [
            .. events
                .OfType<SamplingStep>()
                .Select(step => (step.Preview!.Image.ToTensor() - picture).abs().mean().item<float>() * 127.5),
        ]; // levels of 255
        Assert.InRange(differences[^1], 0, 14);
        Assert.InRange(differences[4], 0, 28);
        Assert.True(differences[0] > 2 * differences[^1], $"{string.Join(", ", differences)}");
    }

    [Fact]
    public void Interpolation_PreviewsCarryFrameAndT()
    {
        var model = models.Model("tiny-sd15");
        ConceptEmbedding Concept(int axis) =>
            new(
                "<x>",
                [
                    new DirectionalVectors(
                        [
                            [
                                .. Enumerable
                                    .Range(0, model.Profile.EmbeddingDimension)
                                    .Select(i => i == axis ? 1f : 0.1f),
                            ],
                        ],
                        [1]
                    ),
                ]
            );
        var (from, to) = (Concept(0), Concept(1));
        var settings = InterpolationSettings.Resolve(
            3,
            null,
            null,
            new GenerationOptions
            {
                Width = 64,
                Height = 64,
                Steps = 2,
                PreviewEvery = 2,
            },
            from,
            to,
            model.Profile,
            () => 1
        );

        var previews = new Interpolation(model)
            .Run(settings, from, to, [], Cancellation)
            .OfType<SamplingStep>()
            .Where(step => step.Preview is not null)
            .ToArray();

        Assert.Equal(
            [(2, 0, 0), (4, 1, 0.5), (6, 2, 1)],
            previews.Select(step => (step.Step, step.Preview!.Index, step.Preview.T!.Value))
        );
        Assert.All(previews, step => Assert.Equal("a photo of {concept}", step.Preview!.Prompt));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(6)]
    public void Resolve_PreviewEveryBeyondTheSteps_IsRefused(int every)
    {
        var error = Assert.Throws<ValidationException>(() =>
            GenerationSettings.Resolve(
                new GenerationOptions { Steps = 5, PreviewEvery = every },
                models.Model("tiny-sd15").Profile,
                () => 1
            )
        );

        Assert.Equal("preview_every", Assert.Single(error.Violations).Field);
    }

    [Fact]
    public void Run_LatentsNobodyKnows_WarnsAndDrawsAllTheSame()
    {
        var folder = Directory.CreateTempSubdirectory("dti-preview").FullName;
        try
        {
            Fixtures.CopyModel("tiny-sd15", folder);
            var path = Path.Combine(folder, "vae", "config.json");
            var config = JsonNode.Parse(File.ReadAllText(path))!;
            config["scaling_factor"] = 0.5;
            File.WriteAllText(path, config.ToJsonString());
            using var model = StableDiffusionModel.Load(
                ModelFamilies.BuiltIn.Read(folder),
                new ComputeTarget(CPU, ScalarType.Float32)
            );
            var settings = GenerationSettings.Resolve(
                new GenerationOptions
                {
                    Width = 64,
                    Height = 64,
                    Steps = 2,
                    PreviewEvery = 1,
                },
                model.Profile,
                () => 1
            );

            var events = new TextToImage(model).Run(settings, [], Cancellation).ToArray();

            Assert.Equal("NO_PREVIEWS", Assert.Single(events.OfType<GenerationWarning>()).Code);
            Assert.All(events.OfType<SamplingStep>(), step => Assert.Null(step.Preview));
            Assert.Single(events.OfType<GeneratedImage>());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private GenerationEvent[] Draw(string family, GenerationOptions options)
    {
        var model = models.Model(family);
        var settings = GenerationSettings.Resolve(
            options with
            {
                Prompt = "a dog",
                Width = 64,
                Height = 64,
            },
            model.Profile,
            () => 1
        );
        return [.. new TextToImage(model).Run(settings, [], Cancellation)];
    }

    private static string Bytes(GeneratedImage image) => Convert.ToHexString(image.Image.Pixels.Span);
}
