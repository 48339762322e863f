using System.Text.Json;
using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Schedulers;
using Dti.Engine.Tests.Models;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Generation;

/// <summary>
/// Image generation against diffusers' pipeline: the initial latents within 1e-6, each step from the recorded latents
/// within 1e-4, images within 1/255 per pixel.
/// </summary>
public class PipelineParityTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    private static readonly Dictionary<string, string> _schedulers = new()
    {
        ["DDIMScheduler"] = "ddim",
        ["DPMSolverMultistepScheduler"] = "dpmpp_2m",
        ["EulerDiscreteScheduler"] = "euler",
        ["PNDMScheduler"] = "pndm",
    };

    public static TheoryData<string, string> Runs()
    {
        var data = new TheoryData<string, string>();
        foreach (string family in ModelFixture.AllFamilies().Select(row => row.Data))
        {
            using var json = Json(family);
            foreach (
                var run in json
                    .RootElement.EnumerateObject()
                    .Where(run => _schedulers.ContainsKey(run.Value.GetProperty("scheduler").GetString()!))
            )
            {
                data.Add(family, run.Name);
            }
        }

        return data;
    }

    /// <summary>
    /// The runs in which fp32 rounding does not decide the image. diffusers' DDIMScheduler clips its estimate of x₀ to
    /// [-1, 1] where the config does not say otherwise. The untrained UNet of tiny-sdxl predicts an x₀ of up to 29, so
    /// that 240 of 256 values are clipped in the first step, and steps then amplify whatever they are given: computed
    /// in fp64, a change of 1e-8 in the initial latents becomes 5e-5 to 2e-4 after six steps, 1000 times as much
    /// relative to the latents as in the other runs, and the recorded image itself is 1.25 levels from the fp64 one.
    /// Such a run is held to its recorded latents step by step.
    /// </summary>
    public static TheoryData<string, string> ConditionedRuns() =>
        [.. Runs().Where(row => !IsClipped(row.Data.Item1, row.Data.Item2))];

    /// <summary>The runs whose text encoder states were recorded.</summary>
    public static TheoryData<string, string> RunsWithStates() =>
        [
            .. Runs()
                .Where(row =>
                {
                    using var golden = new Golden(ModelFixture.Expected(row.Data.Item1, "pipeline.safetensors"));
                    return golden.Has(row.Data.Item2 + "/prompt_embeds");
                }),
        ];

    private static bool IsClipped(string family, string run) =>
        Scheduler(family, run) == "ddim"
        && !File.ReadAllText(Path.Combine(Fixtures.Root, family, "scheduler", "scheduler_config.json"))
            .Contains("\"clip_sample\"", StringComparison.Ordinal);

    /// <summary>
    /// The model of a run. If the recorded run clipped by diffusers' default, it is a copy whose config sets
    /// clip_sample.
    /// </summary>
    private StableDiffusionModel Model(string family, string run)
    {
        if (!IsClipped(family, run))
        {
            return models.Model(family);
        }

        var folder = Directory.CreateTempSubdirectory("dti-clipped-");
        Fixtures.CopyModel(family, folder.FullName);
        var path = Path.Combine(folder.FullName, "scheduler", "scheduler_config.json");
        File.WriteAllText(
            path,
            File.ReadAllText(path).Replace("{", "{\"clip_sample\": true,", StringComparison.Ordinal)
        );
        var model = models.Model(folder.FullName);
        folder.Delete(recursive: true);
        return model;
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Denoise_RecordedLatents_TakesThePipelinesSteps(string family, string run)
    {
        using var scope = NewDisposeScope();
        var model = Model(family, run);
        var drawing = new TextToImage(model);
        using var golden = new Golden(ModelFixture.Expected(family, "pipeline.safetensors"));
        var (initial, recorded) = (golden[run + "/initial_latents"], golden[run + "/latents_steps"]);
        foreach (var (index, settings, concepts) in Images(family, run))
        {
            using var noise = drawing.Noise(settings, index);
            golden.AssertClose(run + "/initial_latents", noise.Next(), latents => latents.narrow(0, index, 1));
            using var latents = new Latents(initial.narrow(0, index, 1).clone().DetachFromDisposeScope());
            using var conditioning = drawing.EncodePair(
                settings,
                new PromptEncoder(model, concepts, settings.PromptSyntax, settings.ClipSkip)
            );
            var call = (int)recorded.shape[0] - settings.Steps; // PLMS calls the model once more than it has steps
            foreach (
                var step in drawing.Denoise(
                    settings,
                    conditioning,
                    latents,
                    noise,
                    index,
                    TestContext.Current.CancellationToken
                )
            )
            {
                var expected = recorded[call++].narrow(0, index, 1);
                Golden.AssertClose(
                    expected,
                    latents.Value,
                    golden.Tolerance(run + "/latents_steps"),
                    $"image {index}, step {step.Step}"
                );
                latents.Replace(expected.clone().DetachFromDisposeScope());
            }

            Assert.Equal(recorded.shape[0], call);
        }
    }

    [Theory]
    [MemberData(nameof(RunsWithStates))]
    public void EncodePair_RecordedPrompts_GivesThePipelinesStates(string family, string run)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(ModelFixture.Expected(family, "pipeline.safetensors"));
        var model = models.Model(family);
        foreach (var (index, settings, concepts) in Images(family, run))
        {
            using var pair = new TextToImage(model).EncodePair(
                settings,
                new PromptEncoder(model, concepts, settings.PromptSyntax, settings.ClipSkip)
            );
            foreach (var (row, kind) in new[] { (0, "negative_"), (1, "") })
            {
                Tensor Recorded(Tensor states) => states.narrow(0, Math.Min(index, states.shape[0] - 1), 1);
                golden.AssertClose($"{run}/{kind}prompt_embeds", pair.Batches[0].States.narrow(0, row, 1), Recorded);
                if (pair.Batches[0].Pooled is { } pooled)
                {
                    golden.AssertClose($"{run}/{kind}pooled_prompt_embeds", pooled.narrow(0, row, 1), Recorded);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Decode_RecordedLatents_GivesThePipelinesImages(string family, string run)
    {
        using var golden = new Golden(ModelFixture.Expected(family, "pipeline.safetensors"));
        foreach (var (index, settings, _) in Images(family, run))
        {
            using var latents = golden[run + "/final_latents"].narrow(0, index, 1);
            AssertIsRecorded(family, run, index, new TextToImage(models.Model(family)).Decode(latents, settings));
        }
    }

    [Theory]
    [MemberData(nameof(ConditionedRuns))]
    public void Run_RecordedSeed_DrawsThePipelinesPictures(string family, string run)
    {
        foreach (var (index, settings, concepts) in Images(family, run))
        {
            var pictures = new TextToImage(models.Model(family))
                .Run(settings, concepts, TestContext.Current.CancellationToken)
                .OfType<GeneratedImage>()
                .ToList();
            AssertIsRecorded(family, run, index, pictures[index].Image);
        }
    }

    private static void AssertIsRecorded(string family, string run, int index, RgbImage image)
    {
        using var json = Json(family);
        var file = Texts(json.RootElement.GetProperty(run).GetProperty("png"))[index];
        var expected = ImageCodec.Decode(File.ReadAllBytes(ModelFixture.Expected(family, file)), file);
        var difference = expected.Pixels.ToArray().Zip(image.Pixels.ToArray(), (a, b) => Math.Abs(a - b)).Max();
        Assert.True(difference <= 1, $"{file} differs by {difference} levels");
    }

    private static string Scheduler(string family, string run)
    {
        using var json = Json(family);
        return SchedulerFactory.Names.Contains(run)
            ? run
            : _schedulers[json.RootElement.GetProperty(run).GetProperty("scheduler").GetString()!];
    }

    /// <summary>Each image of a run: its index, the request that gives it, and the concepts of its prompt.</summary>
    private List<(int Index, GenerationSettings Settings, ConceptEmbedding[] Concepts)> Images(
        string family,
        string run
    )
    {
        using var json = Json(family);
        var recorded = json.RootElement.GetProperty(run);
        var prompts = Texts(recorded.GetProperty("prompt"));
        var negatives = Texts(recorded.GetProperty("negative_prompt"));
        var count = Texts(recorded.GetProperty("png")).Length;

        // The pipeline gives several prompts one noise tensor, prompt by prompt; so does asking each for all images.
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                    (
                        i,
                        Settings(
                            family,
                            Scheduler(family, run),
                            recorded,
                            prompts[i % prompts.Length],
                            negatives.Length == 0 ? null : negatives[i % negatives.Length],
                            count
                        ),
                        prompts[i % prompts.Length].Contains('<', StringComparison.Ordinal)
                            ? new[] { "cat", "toy" }.Select(name => Concept(family, name)).ToArray()
                            : []
                    )
                ),
        ];
    }

    private GenerationSettings Settings(
        string family,
        string scheduler,
        JsonElement recorded,
        string prompt,
        string? negative,
        int count
    ) =>
        GenerationSettings.Resolve(
            new GenerationOptions
            {
                Prompt = prompt,
                NegativePrompt = negative,
                Width = recorded.GetProperty("width").GetInt32(),
                Height = recorded.GetProperty("height").GetInt32(),
                Steps = recorded.GetProperty("num_inference_steps").GetInt32(),
                GuidanceScale = recorded.GetProperty("guidance_scale").GetDouble(),
                Scheduler = scheduler,
                Seed = recorded.GetProperty("seed").GetUInt64(),
                ImageCount = count,
                PromptSyntax = PromptSyntax.Plain,
            },
            models.Model(family).Profile,
            () => throw new InvalidOperationException("the seed is given")
        );

    /// <summary>The official files: one per text encoder.</summary>
    private static ConceptEmbedding Concept(string family, string name)
    {
        var files = new[] { $"learned_embeds-{name}.safetensors", $"learned_embeds_2-{name}.safetensors" }
            .Select(file => ModelFixture.Expected(family, file))
            .Where(File.Exists);
        ConceptEmbedding[] parts = [.. files.Select(file => ConceptFile.Read(file))];
        return parts[0] with { Encoders = [.. parts.SelectMany(part => part.Encoders)] };
    }

    private static JsonDocument Json(string family) =>
        JsonDocument.Parse(File.ReadAllText(ModelFixture.Expected(family, "pipeline.json")));

    private static string[] Texts(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Array => [.. value.EnumerateArray().Select(text => text.GetString()!)],
            JsonValueKind.String => [value.GetString()!],
            _ => [],
        };
}
