using System.Text.Json;
using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Models.Families.Sana;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Families.Sana;

/// <summary>
/// Image generation against diffusers' SanaPipeline: the initial latents within 1e-6, each step from the recorded
/// latents within 1e-4, whole runs within two levels of 255 per pixel.
/// </summary>
public class SanaPipelineTests(SanaFixture models) : IClassFixture<SanaFixture>
{
    public static TheoryData<string> Runs()
    {
        using var json = SanaFixture.Json("pipeline.json");
        return [.. json.RootElement.EnumerateObject().Select(run => run.Name)];
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Denoise_RecordedLatents_TakesThePipelinesSteps(string run)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected("pipeline.safetensors"));
        var (model, recorded) = (Model(run), golden[run + "/latents_steps"]);
        var generation = new TextToImage(model);
        foreach (var (index, settings, concepts) in Images(run))
        {
            using var noise = generation.Noise(settings, index);
            golden.AssertClose(run + "/initial_latents", noise.Next(), latents => latents.narrow(0, index, 1));
            using var latents = new Latents(
                golden[run + "/initial_latents"].narrow(0, index, 1).clone().DetachFromDisposeScope()
            );
            using var conditioning = generation.EncodePair(settings, Prompts(model, settings, concepts));
            var call = 0;
            foreach (
                var step in generation.Denoise(
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
                if (call < recorded.shape[0])
                {
                    latents.Replace(expected.clone().DetachFromDisposeScope());
                }
            }

            Assert.Equal(recorded.shape[0], call);
            golden.AssertClose(run + "/final_latents", latents.Value, all => all.narrow(0, index, 1));
        }
    }

    [Theory]
    [InlineData("base")]
    [InlineData("learned_tokens")]
    [InlineData("nonsquare_two_prompts")]
    public void EncodePair_RecordedPrompts_GivesThePipelinesStates(string run)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected("pipeline.safetensors"));
        var model = Model(run);
        foreach (var (index, settings, concepts) in Images(run))
        {
            using var pair = new TextToImage(model).EncodePair(settings, Prompts(model, settings, concepts));
            var found = Assert.Single(pair.Batches);
            foreach (var (row, kind) in new[] { (0, "negative_"), (1, "") })
            {
                Tensor Recorded(Tensor all) => all.narrow(0, Math.Min(index, all.shape[0] - 1), 1);
                var mask = Recorded(golden[$"{run}/{kind}prompt_attention_mask"]);
                var count = found.Mask![row].sum().item<long>();
                Assert.Equal(mask.sum().item<long>(), count);
                golden.AssertClose(
                    $"{run}/{kind}prompt_embeds",
                    found.States.narrow(0, row, 1).narrow(1, 0, count),
                    all => Recorded(all).narrow(1, 0, count)
                );
            }
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Run_RecordedSeed_GeneratesThePipelinesImages(string run)
    {
        using var json = SanaFixture.Json("pipeline.json");
        var files = Texts(json.RootElement.GetProperty(run).GetProperty("png"));
        foreach (var (index, settings, concepts) in Images(run))
        {
            var image = new TextToImage(Model(run))
                .Run(settings, concepts, TestContext.Current.CancellationToken)
                .OfType<GeneratedImage>()
                .ElementAt(index)
                .Image;

            var expected = ImageCodec.Decode(File.ReadAllBytes(SanaFixture.Expected(files[index])), files[index]);
            var difference = expected.Pixels.ToArray().Zip(image.Pixels.ToArray(), (a, b) => Math.Abs(a - b)).Max();
            Assert.True(difference <= 2, $"{files[index]} differs by {difference} levels");
        }
    }

    [Fact]
    public void Decode_RecordedLatents_GivesThePipelinesPixels()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected("pipeline.safetensors"));

        var decoded = models.Model.Decode(golden["no_instruction/final_latents"]);

        golden.AssertClose("no_instruction/images", ((decoded / 2) + 0.5).clamp(0, 1).permute(0, 2, 3, 1));
    }

    [Fact]
    public void Encode_WeightedPrompt_MovesItsStatesAlone()
    {
        using var scope = NewDisposeScope();
        Tensor States(string prompt) =>
            new PromptEncoder(models.Model, [], PromptSyntax.Weighted).Encode(prompt).States;
        var (plain, weighted) = (States("a photo of a dog"), States("a photo of (a dog:1.5)"));

        var moved = (plain - weighted).abs().amax([0, 2]).gt(1e-4).data<bool>().ToArray();

        Assert.Equal([false, false, false, false], moved[..4]);
        Assert.Contains(true, moved[4..]);
    }

    [Fact]
    public void Resolve_SideThatIsNoMultipleOf32_IsRefusedByName()
    {
        var error = Assert.Throws<ValidationException>(() =>
            GenerationSettings.Resolve(new GenerationOptions { Width = 72 }, models.Model.Profile, () => 1)
        );

        Assert.Equal("width", error.Field);
        Assert.Contains("multiple of 32", error.Message, StringComparison.Ordinal);
    }

    private SanaModel Model(string run) =>
        models.Of(
            run switch
            {
                "base_eager" => "eager",
                "base_transformer_15" => "transformer_15",
                _ => "sdpa",
            }
        );

    private static PromptEncoder Prompts(
        SanaModel model,
        GenerationSettings settings,
        IReadOnlyList<ConceptEmbedding> concepts
    ) => new(model, concepts, settings.PromptSyntax, instruct: !settings.OmitInstruction);

    /// <summary>
    /// Each image of a run: its index, the request that gives it, and the concepts of its prompt. With several images
    /// for each of several prompts, diffusers gives those in the middle the masks of other prompts; they are left out.
    /// </summary>
    private List<(int Index, GenerationSettings Settings, ConceptEmbedding[] Concepts)> Images(string run)
    {
        using var json = SanaFixture.Json("pipeline.json");
        var recorded = json.RootElement.GetProperty(run);
        var (prompts, negatives) = (
            Texts(recorded.GetProperty("prompt")),
            Texts(recorded.GetProperty("negative_prompt"))
        );
        var count = Texts(recorded.GetProperty("png")).Length;
        var each = count / prompts.Length;
        int Number(string key) => recorded.GetProperty(key).GetInt32();
        return
        [
            .. Enumerable
                .Range(0, count)
                .Where(i => prompts.Length == 1 || each == 1 || i == 0 || i == count - 1)
                .Select(i =>
                    (
                        i,
                        GenerationSettings.Resolve(
                            new GenerationOptions
                            {
                                Prompt = prompts[i / each],
                                NegativePrompt = negatives[i / each % negatives.Length],
                                Width = Number("width"),
                                Height = Number("height"),
                                Steps = Number("num_inference_steps"),
                                GuidanceScale = recorded.GetProperty("guidance_scale").GetDouble(),
                                Scheduler = run == "flow_euler" ? "euler" : null,
                                Seed = recorded.GetProperty("seed").GetUInt64(),
                                ImageCount = count,
                                PromptSyntax = PromptSyntax.Plain,
                                OmitInstruction =
                                    recorded.GetProperty("complex_human_instruction").ValueKind == JsonValueKind.Null,
                                ResolutionBinning = recorded.GetProperty("use_resolution_binning").GetBoolean(),
                            },
                            Model(run).Profile
                        ),
                        prompts[i / each].Contains('<', StringComparison.Ordinal)
                            ? new[] { "cat", "toy" }
                                .Select(name =>
                                    ConceptFile.Read(SanaFixture.Expected($"learned_embeds-{name}.safetensors"))
                                )
                                .ToArray()
                            : []
                    )
                ),
        ];
    }

    private static string[] Texts(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Array => [.. value.EnumerateArray().Select(text => text.GetString()!)],
            JsonValueKind.String => [value.GetString()!],
            _ => [""],
        };
}
