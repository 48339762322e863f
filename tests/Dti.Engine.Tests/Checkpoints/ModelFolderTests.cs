using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Tokenization;
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
                SafetensorsWriter.Write(
                    Path.Combine(_model, "unet", file),
                    shard.ToDictionary(name => name, name => tensors[name])
                );
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
        File.WriteAllText(
            UNet + ".index.json",
            """{"weight_map": {"conv_in.weight": "../vae/diffusion_pytorch_model.safetensors"}}"""
        );
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

    /// <summary>What a list of models shows as usable loads: the same checks, by headers alone.</summary>
    [Theory]
    [InlineData("unet/diffusion_pytorch_model.safetensors", "conv_out.bias")]
    [InlineData("vae/diffusion_pytorch_model.safetensors", "decoder.conv_out.bias")]
    [InlineData("text_encoder/model.safetensors", "text_model.final_layer_norm.bias")]
    public void Read_WeightsThatWouldNotLoad_AreRefusedWithTheSameWords(string component, string tensor)
    {
        var file = Path.Combine(_model, component);
        Action<Dictionary<string, Tensor>>[] changes =
        [
            tensors => tensors.Add("of.another.model", zeros(2, 3)),
            tensors =>
            {
                tensors.Remove("of.another.model");
                tensors[tensor] = zeros(7);
            },
            tensors => tensors.Remove(tensor),
        ];
        string[] expected = ["'of.another.model' (2, 3)", $"'{tensor}' is (7)", $"has no tensor '{tensor}'"];
        foreach (var (change, words) in changes.Zip(expected))
        {
            Rewrite(file, change, write: true);
            Assert.Contains(
                words,
                Assert.Throws<DtiException>(() => ModelFamilies.BuiltIn.Read(_model)).Message,
                StringComparison.Ordinal
            );
        }
    }

    /// <summary>
    /// A text encoder that was saved from a whole CLIP model; transformers passes over what it does not read.
    /// </summary>
    [Fact]
    public void Load_TextEncoderOfAWholeModel_PassesOverTheRest()
    {
        Rewrite(
            Path.Combine(_model, "text_encoder", "model.safetensors"),
            tensors =>
            {
                foreach (
                    var name in new[]
                    {
                        "text_projection.weight",
                        "logit_scale",
                        "visual_projection.weight",
                        "vision_model.encoder.layers.0.mlp.fc1.bias",
                        "text_model.embeddings.position_ids",
                    }
                )
                {
                    tensors.Add(name, zeros(3));
                }
            },
            write: true
        );
        Load().Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LoadTokenizer_TokenizerJsonAlone_SpellsAsVocabularyAndMerges(bool pairs)
    {
        var folder = Path.Combine(_model, "tokenizer");
        var expected = ClipTokenizer.Load(folder);
        using var vocabulary = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "vocab.json")));
        var merges = File.ReadAllLines(Path.Combine(folder, "merges.txt"))
            .Where(line => line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal));
        File.WriteAllText(
            Path.Combine(folder, "tokenizer.json"),
            JsonSerializer.Serialize(
                new
                {
                    model = new
                    {
                        type = "BPE",
                        vocab = vocabulary.RootElement,
                        merges = merges.Select(merge => pairs ? (object)merge.Split(' ') : merge),
                    },
                }
            )
        );
        foreach (var file in new[] { "vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json" })
        {
            File.Delete(Path.Combine(folder, file));
        }

        using var model = Load();
        const string Prompt = "A photo of 2 dogs, ünlike cats!";
        Assert.Equal(expected.Tokenize(Prompt).InputIds, model.Profile.Tokenizer.Tokenize(Prompt).InputIds);

        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), """{"model": {"type": "Unigram", "vocab": []}}""");
        Refused("tokenizer.json has no vocabulary and merges");
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
    [InlineData(
        "unet/config.json",
        "\"class_embed_type\": null",
        "\"class_embed_type\": \"timestep\"",
        "class_embed_type"
    )]
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
        Rewrite(
            vae,
            tensors =>
            {
                foreach (
                    var name in tensors
                        .Keys.Where(name => name.Contains("attentions.0.to_", StringComparison.Ordinal))
                        .ToArray()
                )
                {
                    var old = name.Replace("to_q", "query", StringComparison.Ordinal)
                        .Replace("to_k", "key", StringComparison.Ordinal)
                        .Replace("to_v", "value", StringComparison.Ordinal)
                        .Replace("to_out.0", "proj_attn", StringComparison.Ordinal);
                    tensors.Remove(name, out var tensor);
                    tensors.Add(old, tensor!);
                }
            },
            write: true
        );
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

    private StableDiffusionModel Load() =>
        StableDiffusionModel.Load(ModelFamilies.BuiltIn.Read(_model), new ComputeTarget(CPU, ScalarType.Float32));

    private void Refused(params string[] words)
    {
        var error = Assert.Throws<DtiException>(Load);
        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }
}
