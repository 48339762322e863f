using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Checkpoints;

/// <summary>Model folders made from the fixture and changed: what loads, and what the refusal says.</summary>
public sealed class ModelFolderTests : IDisposable
{
    private readonly string _model;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-model-");

    public ModelFolderTests()
    {
        _model = Fixtures.CopyModel("tiny-sd15", Path.Combine(_folder.FullName, "copy"));
    }

    private string UNet => Path.Combine(_model, "unet", "diffusion_pytorch_model.safetensors");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Load_Shards_GivesTheSameModel()
    {
        Rewrite(UNet, tensors =>
        {
            var names = tensors.Keys.Order(StringComparer.Ordinal).ToArray();
            var map = new Dictionary<string, string>();
            foreach (var (shard, number) in names.Chunk((names.Length / 3) + 1).Select((shard, i) => (shard, i + 1)))
            {
                var file = $"diffusion_pytorch_model-0000{number}-of-00003.safetensors";
                SafetensorsWriter.Write(Path.Combine(_model, "unet", file), shard.ToDictionary(name => name, name => tensors[name]));
                Array.ForEach(shard, name => map[name] = file);
            }

            File.WriteAllText(UNet + ".index.json", JsonSerializer.Serialize(new { weight_map = map }));
        });
        File.Delete(UNet);
        Load().Dispose();

        File.Delete(Path.Combine(_model, "unet", "diffusion_pytorch_model-00002-of-00003.safetensors"));
        Refused("diffusion_pytorch_model-00002-of-00003.safetensors");
    }

    [Fact]
    public void Load_IndexThatLeavesItsFolder_IsRefused()
    {
        File.Delete(UNet);
        File.WriteAllText(UNet + ".index.json", """{"weight_map": {"conv_in.weight": "../vae/diffusion_pytorch_model.safetensors"}}""");
        Refused("../vae");
    }

    [Fact]
    public void Load_OnlyAVariant_IsUsed()
    {
        var variant = Path.Combine(_model, "unet", "diffusion_pytorch_model.fp16.safetensors");
        File.Move(UNet, variant);

        using var model = Load();
        using var weights = model.Profile.OpenWeights("unet");

        Assert.Equal(variant, weights.FileOf("conv_in.weight").Path);
    }

    [Fact]
    public void Load_OnlyAPickle_SaysWhyItIsRefused()
    {
        File.Move(UNet, Path.ChangeExtension(UNet, ".bin"));
        Refused("pickle");
    }

    [Fact]
    public void Load_MissingTensor_NamesFileAndTensor()
    {
        Rewrite(UNet, tensors => tensors.Remove("conv_out.bias"), write: true);
        Refused(UNet, "'conv_out.bias'");
    }

    [Fact]
    public void Load_ExtraTensor_NamesFileAndTensor()
    {
        Rewrite(UNet, tensors => tensors.Add("controlnet.extra", zeros(2, 3)), write: true);
        Refused(UNet, "'controlnet.extra' (2, 3)");
    }

    [Fact]
    public void Load_WrongShape_NamesExpectedAndFound()
    {
        Rewrite(UNet, tensors => tensors["conv_out.bias"] = zeros(5), write: true);
        Refused(UNet, "'conv_out.bias' is (5); (4) was expected");
    }

    [Theory]
    [InlineData("model_index.json", "StableDiffusionPipeline", "FluxPipeline", "FluxPipeline")]
    [InlineData("model_index.json", "CLIPTextModel", "T5EncoderModel", "T5EncoderModel")]
    [InlineData("unet/config.json", "\"UpBlock2D\"", "\"AttnUpBlock2D\"", "AttnUpBlock2D")]
    [InlineData("unet/config.json", "\"act_fn\": \"silu\"", "\"act_fn\": \"mish\"", "act_fn")]
    [InlineData("unet/config.json", "\"class_embed_type\": null", "\"class_embed_type\": \"timestep\"", "class_embed_type")]
    [InlineData("unet/config.json", "\"in_channels\": 4", "\"in_channels\": 9", "inpainting")]
    [InlineData("vae/config.json", "\"scaling_factor\": 0.18215", "\"scaling_factor\": \"big\"", "scaling_factor")]
    [InlineData("text_encoder/config.json", "\"hidden_act\": \"quick_gelu\"", "\"hidden_act\": \"relu\"", "hidden_act")]
    [InlineData("scheduler/scheduler_config.json", "\"scaled_linear\"", "\"sigmoid\"", "sigmoid")]
    [InlineData("scheduler/scheduler_config.json", "{", "", "scheduler_config.json")]
    public void Read_UnsupportedConfig_NamesWhatIsNot(string file, string from, string to, string word)
    {
        var path = Path.Combine(_model, file);
        var text = File.ReadAllText(path);
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));
        Refused(word);
    }

    [Fact]
    public void Load_OldNamesOfTheAutoencodersAttention_AreTaken()
    {
        var vae = Path.Combine(_model, "vae", "diffusion_pytorch_model.safetensors");
        Rewrite(vae, tensors =>
        {
            foreach (var name in tensors.Keys.Where(name => name.Contains("attentions.0.to_", StringComparison.Ordinal)).ToArray())
            {
                var old = name.Replace("to_q", "query", StringComparison.Ordinal).Replace("to_k", "key", StringComparison.Ordinal)
                    .Replace("to_v", "value", StringComparison.Ordinal).Replace("to_out.0", "proj_attn", StringComparison.Ordinal);
                tensors.Remove(name, out var tensor);
                tensors.Add(old, tensor!);
            }
        }, write: true);
        Load().Dispose();
    }

    private static void Rewrite(string path, Action<Dictionary<string, Tensor>> change, bool write = false)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>();
        using (var file = SafetensorsFile.Open(path))
        {
            foreach (var name in file.Tensors.Keys)
            {
                tensors.Add(name, file.Read(name));
            }
        }

        change(tensors);
        if (write)
        {
            SafetensorsWriter.Write(path, tensors);
        }
    }

    private StableDiffusionModel Load() => StableDiffusionModel.Load(ModelFamilies.BuiltIn.Read(_model), new ComputeTarget(CPU, ScalarType.Float32));

    private void Refused(params string[] words)
    {
        var error = Assert.Throws<DtiException>(Load);
        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }
}
