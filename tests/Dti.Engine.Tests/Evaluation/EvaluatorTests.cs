using System.Text.Json.Nodes;
using Dti.Engine.Evaluation;
using Dti.Engine.Runtime.Devices;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Evaluation;

public sealed class EvaluatorTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-evaluator-");

    public static TheoryData<string, string> NeededFiles()
    {
        var data = new TheoryData<string, string>();
        foreach (
            var (name, tokenizer) in new[]
            {
                ("clip", new[] { "vocab.json", "merges.txt" }),
                ("siglip", ["spiece.model"]),
                ("dinov2", []),
            }
        )
        {
            foreach (
                var file in (string[])["config.json", "preprocessor_config.json", "model.safetensors", .. tokenizer]
            )
            {
                data.Add(name, file);
            }
        }

        return data;
    }

    [Theory]
    [InlineData("clip", true)]
    [InlineData("siglip", true)]
    [InlineData("dinov2", false)]
    public void Load_EachType_SaysWhetherItReadsTexts(string name, bool readsTexts)
    {
        using var evaluator = Evaluator.Load(Path.Combine(EvaluatorFixture.Root, name));

        Assert.Equal(readsTexts, evaluator is IImageTextEncoder);
    }

    [Theory]
    [InlineData("clip")]
    [InlineData("siglip")]
    [InlineData("dinov2")]
    public void EncodeImages_Bf16_GivesNearlyTheSameInFp32(string name)
    {
        using var scope = NewDisposeScope();
        using var fixture = new EvaluatorFixture(name);
        using var full = fixture.Load();
        using var half = Evaluator.Load(fixture.Folder, new ComputeTarget(CPU, ScalarType.BFloat16));

        var features = half.EncodeImages(fixture.Images);

        Assert.Equal(ScalarType.Float32, features.dtype);
        Assert.All(Similarity.Paired(Similarity.Cosine(full.EncodeImages(fixture.Images), features)), cosine =>
            Assert.InRange(cosine, 0.999f, 1.001f)
        );
    }

    [Theory]
    [MemberData(nameof(NeededFiles))]
    public void Load_FileMissing_NamesIt(string name, string file)
    {
        File.Delete(Path.Combine(EvaluatorFixture.Copy(name, _folder.FullName), file));

        AssertRefused(file);
    }

    [Theory]
    [InlineData("\"blip\"", "model_type 'blip' is not supported; clip, siglip and dinov2 are")]
    [InlineData("null", "has no model_type; expected clip, siglip or dinov2")]
    [InlineData("7", "model_type is 7; expected a text")]
    public void Load_OtherModelType_SaysWhichThereAre(string type, string expected)
    {
        Change("dinov2", config => config["model_type"] = JsonNode.Parse(type));

        AssertRefused(expected);
    }

    [Theory]
    [InlineData("clip")]
    [InlineData("siglip")]
    [InlineData("dinov2")]
    public void Load_WeightsCutOff_IsRefused(string name)
    {
        var path = Path.Combine(EvaluatorFixture.Copy(name, _folder.FullName), "model.safetensors");
        using (var file = File.OpenWrite(path))
        {
            file.SetLength(file.Length - 1000);
        }

        AssertRefused("model.safetensors");
    }

    [Theory]
    [InlineData("clip", "vision_config", "num_hidden_layers", 3, "has no tensor 'vision_model.encoder.layers.2.")]
    [InlineData(
        "clip",
        "vision_config",
        "num_hidden_layers",
        1,
        "tensors that the model of its config does not have: 'vision_model.encoder.layers.1."
    )]
    [InlineData(
        "clip",
        "vision_config",
        "intermediate_size",
        65,
        "'vision_model.encoder.layers.0.mlp.fc1.weight' is (64, 32)"
    )]
    [InlineData(
        "clip",
        "vision_config",
        "image_size",
        64,
        "makes images of 32 × 32; the model of config.json takes 64 × 64"
    )]
    [InlineData("clip", "vision_config", "patch_size", 33, "patch_size 33 is not supported")]
    [InlineData("clip", "text_config", "vocab_size", 2513, "tokenizer has 2514 tokens")]
    [InlineData("siglip", "text_config", "vocab_size", 101, "spiece.model has 102 pieces")]
    [InlineData("siglip", "text_config", "projection_size", 31, "gives 31 features, the image tower 32")]
    [InlineData("siglip", "vision_config", "num_attention_heads", 3, "num_attention_heads 3 is not supported")]
    [InlineData("dinov2", null, "mlp_ratio", 3, "'encoder.layer.0.mlp.fc1.weight' is (128, 32)")]
    [InlineData("dinov2", null, "patch_size", 40, "the patches of config.json are 40 × 40")]
    public void Load_WeightsOfAnotherConfig_SaysWhatDoesNotFit(
        string name,
        string? section,
        string key,
        int value,
        string expected
    )
    {
        Change(name, config => (section is null ? config : config[section]!)[key] = value);

        AssertRefused(expected);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 1, 2, 3, 4 })]
    [InlineData(new byte[] { 0x0A, 0x7F, 1 })]
    public void Load_NotASentencePieceModel_IsRefused(byte[] file)
    {
        File.WriteAllBytes(Path.Combine(EvaluatorFixture.Copy("siglip", _folder.FullName), "spiece.model"), file);

        AssertRefused("spiece.model is not a SentencePiece model that can be read");
    }

    [Fact]
    public void Load_SentencePieceModelCutAnywhere_IsRefusedOrReads()
    {
        var path = Path.Combine(EvaluatorFixture.Copy("siglip", _folder.FullName), "spiece.model");
        var file = File.ReadAllBytes(path);
        for (var length = 0; length < file.Length; length += 997)
        {
            File.WriteAllBytes(path, file[..length]);
            try
            {
                Evaluator.Load(_folder.FullName).Dispose();
            }
            catch (DtiException error)
            {
                Assert.Contains("spiece.model", error.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Paired_MorePicturesThanPrompts_IsRefused()
    {
        using var scope = NewDisposeScope();

        Assert.Throws<ArgumentException>(() => Similarity.Paired(zeros(3, 2)));
    }

    [Fact]
    public void EncodeImages_None_IsRefused()
    {
        using var evaluator = Evaluator.Load(Path.Combine(EvaluatorFixture.Root, "dinov2"));

        Assert.Throws<ArgumentOutOfRangeException>(() => evaluator.EncodeImages([]));
        Assert.Throws<ArgumentNullException>(() => evaluator.EncodeImages(null!));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private void AssertRefused(string expected)
    {
        var error = Assert.Throws<DtiException>(() => Evaluator.Load(_folder.FullName));

        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.Contains(_folder.FullName, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private void Change(string name, Action<JsonNode> change)
    {
        var path = Path.Combine(EvaluatorFixture.Copy(name, _folder.FullName), "config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        change(config);
        File.WriteAllText(path, config.ToJsonString());
    }
}
