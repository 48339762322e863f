using System.Text.Json;
using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Schedulers;
using Dti.Engine.Tests.Models;

namespace Dti.Engine.Tests.Generation;

/// <summary>Whole pictures by seed against diffusers' pipeline, within 1/255 per pixel.</summary>
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
            foreach (var run in json.RootElement.EnumerateObject().Where(run => _schedulers.ContainsKey(run.Value.GetProperty("scheduler").GetString()!)))
            {
                data.Add(family, run.Name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Run_RecordedSeed_DrawsThePipelinesPictures(string family, string run)
    {
        using var json = Json(family);
        var recorded = json.RootElement.GetProperty(run);
        var scheduler = SchedulerFactory.Names.Contains(run) ? run : _schedulers[recorded.GetProperty("scheduler").GetString()!];
        var prompts = Texts(recorded.GetProperty("prompt"));
        var negatives = Texts(recorded.GetProperty("negative_prompt"));
        var files = Texts(recorded.GetProperty("png"));
        for (var i = 0; i < files.Length; i++)
        {
            // The pipeline gives several prompts one noise tensor, prompt by prompt; so does asking each for all pictures.
            var pictures = Draw(family, scheduler, recorded, prompts[i % prompts.Length], negatives.Length == 0 ? null : negatives[i % negatives.Length], files.Length);
            var expected = ImageCodec.Decode(File.ReadAllBytes(ModelFixture.Expected(family, files[i])), files[i]);
            var difference = expected.Pixels.ToArray().Zip(pictures[i].Pixels.ToArray(), (a, b) => Math.Abs(a - b)).Max();
            Assert.True(difference <= 1, $"{files[i]} differs by {difference} levels");
        }
    }

    private List<RgbImage> Draw(string family, string scheduler, JsonElement recorded, string prompt, string? negative, int count)
    {
        var model = models.Model(family);
        var settings = GenerationSettings.Resolve(
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
            model.Profile,
            () => throw new InvalidOperationException("the seed is given"));
        ConceptEmbedding[] concepts = prompt.Contains('<', StringComparison.Ordinal)
            ? [.. new[] { "cat", "toy" }.Select(name => Concept(family, name))]
            : [];
        return [.. new TextToImage(model).Run(settings, concepts, TestContext.Current.CancellationToken).OfType<GeneratedImage>().Select(picture => picture.Image)];
    }

    /// <summary>The official files: one per text encoder.</summary>
    private static ConceptEmbedding Concept(string family, string name)
    {
        var files = new[] { $"learned_embeds-{name}.safetensors", $"learned_embeds_2-{name}.safetensors" }.Select(file => ModelFixture.Expected(family, file)).Where(File.Exists);
        ConceptEmbedding[] parts = [.. files.Select(file => ConceptFile.Read(file))];
        return parts[0] with { Encoders = [.. parts.SelectMany(part => part.Encoders)] };
    }

    private static JsonDocument Json(string family) => JsonDocument.Parse(File.ReadAllText(ModelFixture.Expected(family, "pipeline.json")));

    private static string[] Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => [.. value.EnumerateArray().Select(text => text.GetString()!)],
        JsonValueKind.String => [value.GetString()!],
        _ => [],
    };
}
