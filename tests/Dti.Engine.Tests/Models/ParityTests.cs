using System.Text.Json;
using Dti.Engine.Tokenization;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

/// <summary>Activations and gradients against transformers and diffusers, fp32.</summary>
public class ParityTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Theory]
    [MemberData(nameof(ModelFixture.Families), MemberType = typeof(ModelFixture))]
    public void ClipTextModel_FixturePrompts_MatchesTransformers(string family)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(ModelFixture.Expected(family, "text.safetensors"));
        var encoder = models.Model(family).TextEncoder;
        var ids = golden["text_encoder/input_ids"];

        var output = encoder.Forward(ids);

        golden.AssertClose("text_encoder/hidden_state_embeddings", encoder.Embed(ids, null));
        golden.AssertClose("text_encoder/hidden_state_penultimate", output.PenultimateHiddenState);
        golden.AssertClose("text_encoder/last_hidden_state", output.LastHiddenState);
        golden.AssertClose(
            "text_encoder/penultimate_after_final_layer_norm",
            encoder.Forward(ids, clipSkip: 2).LastHiddenState
        );
        golden.AssertClose("text_encoder/pooler_output", output.PooledOutput);
    }

    [Theory]
    [MemberData(nameof(ModelFixture.Families), MemberType = typeof(ModelFixture))]
    public void UNet2DConditionModel_EverySize_MatchesDiffusersWithGradient(string family)
    {
        using var golden = new Golden(ModelFixture.Expected(family, "unet.safetensors"));
        foreach (var name in golden.Names.Select(key => key.Split('/')[0]).Distinct())
        {
            using var scope = NewDisposeScope();
            var states = golden[$"{name}/encoder_hidden_states"].clone().requires_grad_(true);

            var output = models
                .Model(family)
                .UNet.Forward(golden[$"{name}/sample"], golden[$"{name}/timestep"], states);
            var gradient = autograd.grad([(output * golden[$"{name}/w"]).sum()], [states])[0];

            golden.AssertClose($"{name}/output", output);
            golden.AssertClose($"{name}/grad_encoder_hidden_states", gradient);
        }
    }

    [Fact]
    public void UNet2DConditionModel_AskedForFeatures_GivesEachLevelOnTheWayUp()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(ModelFixture.Expected("tiny-sd15", "unet.safetensors"));
        var name = golden.Names.First().Split('/')[0];
        var features = new List<Tensor>();

        var output = models
            .Model("tiny-sd15")
            .UNet.Forward(
                golden[$"{name}/sample"],
                golden[$"{name}/timestep"],
                golden[$"{name}/encoder_hidden_states"],
                features: features
            );

        golden.AssertClose($"{name}/output", output);
        Assert.Equal([16L, 16, 8, 8], features.Select(level => level.shape[1]));
        Assert.Equal(output.shape[2..], features[^2].shape[2..]);
        Assert.Equal(output.shape[2..], features[^1].shape[2..]);
        Assert.All(features, level => Assert.True(level.isfinite().all().item<bool>()));
    }

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void AutoencoderKL_EverySize_MatchesDiffusers(string family)
    {
        using var golden = new Golden(ModelFixture.Expected(family, "vae.safetensors"));
        foreach (var name in golden.Names.Select(key => key.Split('/')[0]).Distinct())
        {
            using var scope = NewDisposeScope();
            var vae = models.Model(family).Vae;

            var posterior = vae.Encode(golden[$"{name}/image"]);

            golden.AssertClose($"{name}/mean", posterior.Mean);
            golden.AssertClose($"{name}/logvar", posterior.LogVar!);
            golden.AssertClose($"{name}/posterior_sample", posterior.Sample(golden[$"{name}/eps"]));
            golden.AssertClose($"{name}/decoded", vae.Decode(golden[$"{name}/latent"]));
        }
    }

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Tokenize_FixturePrompts_GivesTheSameIds(string family)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(ModelFixture.Expected(family, "tokenizer.json")));
        foreach (var (i, encoder) in models.Model(family).Profile.Encoders.Index())
        {
            foreach (
                var (prompt, ids) in json
                    .RootElement.GetProperty("prompts")
                    .EnumerateArray()
                    .Zip(json.RootElement.GetProperty(i == 0 ? "input_ids" : "input_ids_2").EnumerateArray())
            )
            {
                var text = prompt.GetString()!;
                var found = encoder.Tokenizer.Tokenize(text).InputIds;
                Assert.True(
                    ids.EnumerateArray().Select(id => id.GetInt32()).SequenceEqual(found),
                    $"'{text}' gave {string.Join(' ', found.Take(20))} instead of {string.Join(' ', ids.EnumerateArray().Take(20))}"
                );
            }
        }
    }
}
