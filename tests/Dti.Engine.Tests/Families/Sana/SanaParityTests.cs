using System.Text.Json;
using Dti.Engine.Configs;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.Sana;
using Dti.Engine.Runtime.Devices;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Families.Sana;

/// <summary>Activations and gradients of SANA's components against transformers and diffusers, fp32.</summary>
public class SanaParityTests(SanaFixture models) : IClassFixture<SanaFixture>
{
    [Theory]
    [InlineData("sdpa")]
    [InlineData("eager")]
    public void Gemma2Model_FixturePrompts_MatchesTransformers(string attention)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected("text.safetensors"));
        var encoder = models.Of(attention).TextEncoder;
        var mask = golden["plain/attention_mask"].unsqueeze(-1);

        Tensor Valid(Tensor states) => states * mask; // states of filling are not compared
        golden.AssertClose(
            $"{attention}/plain/last_hidden_state",
            Valid(encoder.Forward(golden["plain/input_ids"])),
            Valid
        );
        Assert.True(encoder.Mask(golden["plain/input_ids"]).eq(golden["plain/attention_mask"]).all().item<bool>());
        var left = encoder.Forward(golden["left/input_ids"])[0];
        golden.AssertClose(
            $"{attention}/left/last_hidden_state_valid",
            left[golden["left/attention_mask"][0].to(ScalarType.Bool)]
        );
        var states = new List<Tensor>();
        encoder.Forward(golden["layers/input_ids"], states: states);
        golden.AssertClose($"{attention}/layers/hidden_states", stack([.. states.Select(state => state[0])]));
    }

    [Theory]
    [InlineData("sdpa")]
    [InlineData("eager")]
    public void Condition_PromptWithInstruction_SelectsThePipelinesStates(string attention)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected("text.safetensors"));

        var found = models.Of(attention).Condition([golden["chi/input_ids"]], [null]);

        var (count, mask) = (found.States.shape[1], golden["chi/selected_attention_mask"]);
        Assert.Equal(mask.sum().item<long>(), count);
        Assert.Equal(
            golden["chi/attention_mask"].sum().item<long>(),
            models.Model.TextEncoder.Mask(golden["chi/input_ids"]).sum().item<long>()
        );
        golden.AssertClose($"{attention}/chi/prompt_embeds", found.States, states => states.narrow(1, 0, count));
        Assert.True(found.Mask!.eq(mask.narrow(1, 0, count)).all().item<bool>());
    }

    [Theory]
    [InlineData("sdpa")]
    [InlineData("eager")]
    public void Gemma2Model_Gradients_MatchTransformers(string attention)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected("text.safetensors"));
        var encoder = models.Of(attention).TextEncoder;
        var (ids, tokens) = (golden["grad/input_ids"].clone(), golden["grad/token_ids"]);
        // rows of the vocabulary take no gradients: those of interest stand in for a concept's
        var rows = cat([golden["grad/extra_rows"], encoder.TokenEmbedding.index_select(0, tokens.narrow(0, 1, 2))])
            .requires_grad_(true);
        for (var i = 1; i < 3; i++)
        {
            ids = where(ids.eq(tokens[i]), tokens[0] + i, ids);
        }

        var mask = golden["grad/attention_mask"];
        var output = encoder.Forward(ids, rows);
        var gradient = autograd.grad([(output * golden["grad/w"]).sum()], [rows])[0];

        Tensor Valid(Tensor states) => states * mask.unsqueeze(-1);
        golden.AssertClose($"{attention}/grad/last_hidden_state", Valid(output), Valid);
        golden.AssertClose($"{attention}/grad/grad_rows", gradient);
    }

    [Fact]
    public void Gemma2Model_BFloat16_RoundsTheFactorFirst()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected("text.safetensors"));
        using var model = SanaModel.Load(
            ModelFamilies.BuiltIn.Read(SanaFixture.Folder),
            new ComputeTarget(CPU, ScalarType.BFloat16)
        );

        var found = model.TextEncoder.Embed(golden["layers/input_ids"], null)[0];

        golden.AssertClose("bfloat16/embedding_output", found.to(ScalarType.Float32));
    }

    [Fact]
    public void Parse_ConfigOfTransformers5_IsTheSame()
    {
        Gemma2Config Parse(string path) =>
            Gemma2Config.Parse(
                new ComponentConfig("text_encoder/config.json", JsonDocument.Parse(File.ReadAllText(path)).RootElement)
            );
        var (old, current) = (
            Parse(Path.Combine(SanaFixture.Folder, "text_encoder", "config.json")),
            Parse(SanaFixture.Expected("text_encoder_config_transformers5.json"))
        );

        Assert.Equal(old.Slides, current.Slides);
        Assert.Equal(old with { Slides = [] }, current with { Slides = [] });
        Assert.Null(old.Softcap);
    }

    [Theory]
    [InlineData("sdpa", "transformer")]
    [InlineData("transformer_15", "transformer_15")]
    public void SanaTransformer2DModel_EverySize_MatchesDiffusersWithGradient(string variant, string file)
    {
        using var golden = new Golden(SanaFixture.Expected($"{file}.safetensors"));
        foreach (var name in golden.Names.Select(key => key.Split('/')[0]).Distinct())
        {
            using var scope = NewDisposeScope();
            var states = golden[$"{name}/encoder_hidden_states"].clone().requires_grad_(true);

            var output = models
                .Of(variant)
                .Transformer.Forward(
                    golden[$"{name}/sample"],
                    golden[$"{name}/timestep"],
                    states,
                    golden[$"{name}/encoder_attention_mask"]
                );
            var gradient = autograd.grad([(output * golden[$"{name}/w"]).sum()], [states])[0];

            golden.AssertClose($"{name}/output", output);
            golden.AssertClose($"{name}/grad_encoder_hidden_states", gradient);
        }
    }

    [Theory]
    [InlineData("sdpa", "transformer")]
    [InlineData("transformer_15", "transformer_15")]
    public void SanaTransformer2DModel_Parts_MatchDiffusers(string variant, string file)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected($"{file}.safetensors"));
        var (model, sample) = (models.Of(variant).Transformer, golden["square/sample"]);

        var x = model.Patches(sample);
        golden.AssertClose("square/patch_embed", x);
        var (six, embedded) = model.Time(golden["square/timestep"], ScalarType.Float32);
        golden.AssertClose("square/time_embed_6", six);
        golden.AssertClose("square/embedded_timestep", embedded);
        var caption = model.Caption(golden["square/encoder_hidden_states"]);
        golden.AssertClose("square/caption", caption);
        var bias = SanaTransformer2DModel.Bias(golden["square/encoder_attention_mask"], ScalarType.Float32);
        foreach (var (i, block) in model.Blocks.Index())
        {
            x = block.Forward(x, block.Keys(caption), bias, six, 8, 8);
            golden.AssertClose($"square/block_{i}", x);
        }
    }

    [Fact]
    public void AutoencoderDC_EverySize_MatchesDiffusers()
    {
        using var golden = new Golden(SanaFixture.Expected("vae.safetensors"));
        var vae = models.Model.Vae;
        foreach (var name in golden.Names.Select(key => key.Split('/')[0]).Distinct().Where(name => name != "tiled"))
        {
            using var scope = NewDisposeScope();
            using var frozen = no_grad();
            golden.AssertClose($"{name}/latent", vae.Encode(golden[$"{name}/image"]));
            golden.AssertClose($"{name}/decoded", vae.Decode(golden[$"{name}/z"]));
        }
    }

    [Fact]
    public void AutoencoderDC_Tiles_MatchDiffusers()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var golden = new Golden(SanaFixture.Expected("vae.safetensors"));
        using var json = SanaFixture.Json("vae.json");
        var tiled = json.RootElement.GetProperty("tiled");
        var (tile, stride) = (
            tiled.GetProperty("tile_sample_min").GetInt32(),
            tiled.GetProperty("tile_sample_stride").GetInt32()
        );

        golden.AssertClose(
            "tiled/decoded",
            models.Model.Vae.DecodeTiled(golden["tiled/z"], tile, tile / (tile - stride))
        );
    }

    [Fact]
    public void Encode_LargeImageInTiles_GivesLatentsOfTheSameShape()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var model = SanaModel.Load(
            ModelFamilies.BuiltIn.Read(SanaFixture.Folder),
            models.Model.Target,
            MemoryPolicy.Low with
            {
                AutoencoderTile = 256,
                OffloadIdle = false,
            }
        );
        var image = rand([1, 3, 320, 288], generator: new Generator(1, CPU));

        var (whole, tiled) = (models.Model.Vae.Encode(image), model.Vae.Encode(image));

        Assert.Equal([1, 8, 10, 9], tiled.shape);
        Assert.False(whole.allclose(tiled));
        Assert.Equal([1, 3, 320, 288], model.Vae.Decode(tiled).shape);
    }
}
