using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Configs;
using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Weights;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

/// <summary>The modules of SDXL against transformers and diffusers, fp32.</summary>
public sealed class SdxlParityTests : IDisposable
{
    private const string Family = "tiny-sdxl";
    private readonly List<IDisposable> _owned = [];

    public void Dispose() => _owned.ForEach(owned => owned.Dispose());

    [Theory]
    [InlineData("text_encoder", "pooler_output")]
    [InlineData("text_encoder_2", "text_embeds")]
    public void ClipTextModel_BothEncoders_MatchTransformers(string component, string pooled)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(ModelFixture.Expected(Family, "text.safetensors"));
        var encoder = TextEncoder(component);

        var output = encoder.Forward(golden[$"{component}/input_ids"]);

        golden.AssertClose(
            $"{component}/hidden_state_embeddings",
            encoder.Embed(golden[$"{component}/input_ids"], null)
        );
        golden.AssertClose($"{component}/hidden_state_penultimate", output.PenultimateHiddenState);
        golden.AssertClose($"{component}/last_hidden_state", output.LastHiddenState);
        golden.AssertClose($"{component}/{pooled}", output.TextEmbeds ?? output.PooledOutput);
    }

    [Theory]
    [InlineData(2513, "text_embeds_true_eos")]
    [InlineData(2, "text_embeds_eos2_legacy")]
    public void ClipTextModel_Placeholders_ArePooledWhereTheConfigSays(int endOfText, string expected)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(ModelFixture.Expected(Family, "text.safetensors"));
        var encoder = TextEncoder("text_encoder_2", endOfText);

        var output = encoder.Forward(golden["placeholder/input_ids"], golden["placeholder/extra_embeddings"]);

        golden.AssertClose($"placeholder/{expected}", output.TextEmbeds!);
    }

    [Fact]
    public void UNet2DConditionModel_EverySize_MatchesDiffusersWithGradients()
    {
        using var golden = new Golden(ModelFixture.Expected(Family, "unet.safetensors"));
        var unet = Load("unet", (config, weights) =>
            new UNet2DConditionModel(UNet2DConditionConfig.Parse(config), weights)
        );
        foreach (var name in golden.Names.Select(key => key.Split('/')[0]).Distinct())
        {
            using var scope = NewDisposeScope();
            var states = golden[$"{name}/encoder_hidden_states"].clone().requires_grad_(true);
            var pooled = golden[$"{name}/text_embeds"].clone().requires_grad_(true);

            var output = unet.Forward(
                golden[$"{name}/sample"],
                golden[$"{name}/timestep"],
                states,
                new AddedConditioning(pooled, golden[$"{name}/time_ids"])
            );
            var gradients = autograd.grad([(output * golden[$"{name}/w"]).sum()], [states, pooled]);

            golden.AssertClose($"{name}/output", output);
            golden.AssertClose($"{name}/grad_encoder_hidden_states", gradients[0]);
            golden.AssertClose($"{name}/grad_text_embeds", gradients[1]);
        }
    }

    private ClipTextModel TextEncoder(string component, int? endOfText = null) => Load(component, (config, weights) =>
        {
            var parsed = ClipTextConfig.Parse(config, projection: component == "text_encoder_2");
            return new ClipTextModel(endOfText is { } id ? parsed with { EosTokenId = id } : parsed, weights);
        });

    private T Load<T>(string component, Func<ComponentConfig, WeightScope, T> build)
    {
        var folder = Path.Combine(Fixtures.Root, Family, component);
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "config.json")));
        using var weights = ComponentWeights.Open(folder);
        var source = new CheckpointWeightSource(weights, ScalarType.Float32, CPU);
        _owned.Add(source);
        var model = build(new ComponentConfig(component, json.RootElement.Clone()), new WeightScope(source));
        source.ReadAll();
        return model;
    }
}
