using Dti.Engine.Checkpoints;
using Dti.Engine.Concepts;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Concepts;

/// <summary>Embedding files by the names of their tensors, tool by tool.</summary>
public sealed class EmbeddingFileTests : IDisposable
{
    private const string Bundle = "bundle_emb.my cat.v2.";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-embeddings-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("<x>", "emb_params:2x768")] // A1111, ComfyUI, kohya
    [InlineData("<x>", "clip_l:2x768")] // ComfyUI
    [InlineData("<x>", "clip_h:1x1024")]
    [InlineData("<x>", "clip_l:2x768", "clip_g:2x1280")]
    [InlineData("<x>", "clip_g:2x1280", "clip_l:2x768")]
    [InlineData("<x>", "text_encoders_1:3x1280", "text_encoders_0:3x768")] // pivotal tuning
    [InlineData("<x>", "text_encoders_0:3x768")]
    [InlineData("<cat>", "<cat>:3x768")] // diffusers, InvokeAI, the reference implementation
    [InlineData("a cat", "a cat:768")]
    [InlineData("<s1>", "<s1>:768", "<s2>:768")] // pivotal tuning, one token a tensor
    [InlineData("<cat>", "<cat>_1:1x768", "<cat>:1x768", "<cat>_10:1x768", "<cat>_2:1x768")]
    public void Read_FileOfATool_GivesItsVectors(string placeholder, params string[] tensors)
    {
        var concept = Read(out var ignored, tensors);

        Assert.Equal(placeholder, concept.Placeholder);
        Assert.Empty(ignored);
        var widths = tensors.Select(tensor => int.Parse(tensor[(tensor.LastIndexOfAny([':', 'x']) + 1)..], null));
        Assert.Equal(widths.Distinct().Order(), concept.Dimensions);
    }

    [Fact]
    public void Read_OneTensorAToken_KeepsTheOrderOfItsNumbers()
    {
        var concept = Read(out _, "<cat7>_10:1x4", "<cat7>_2:1x4", "<cat7>:1x4", "<cat7>_1:1x4");

        // Each tensor is filled with its place in the file, from 1.
        Assert.Equal([3f, 4f, 2f, 1f], concept.Encoders[0].Magnitudes.Select(norm => MathF.Round(norm / 2)));
    }

    [Theory]
    [InlineData(new[] { "emb_params:2x768", "emp_params_out:2x768" }, "emp_params_out")]
    [InlineData(
        new[] { "clip_l:2x768", "clip_g:2x1280", "clip_l_out:2x768", "clip_g_out:2x1280" },
        "clip_g_out",
        "clip_l_out"
    )]
    [InlineData(new[] { "clip_l:2x768", "clip_l_out:2x768" }, "clip_l_out")]
    [InlineData(new[] { Lora, Bundle + "string_to_param.*:2x768" }, LoraName)]
    [InlineData(new[] { Lora, Bundle + "clip_l:2x768", Bundle + "clip_g:2x1280" }, LoraName)]
    [InlineData(
        new[] { Lora, Bundle + "emb_params:2x768", Bundle + "emb_params_out:2x768" },
        LoraName,
        Bundle + "emb_params_out"
    )]
    [InlineData(new[] { Lora, "<s1>:768" }, LoraName)]
    public void Read_TensorsThatChangeNothing_AreNamed(string[] tensors, params string[] expected)
    {
        Read(out var ignored, tensors);
        Assert.Equal(expected.Order(), ignored.Order());
    }

    [Fact]
    public void Extract_LoraWithABundle_LeavesTheEmbeddingsAlone()
    {
        var path = Write(Lora, Bundle + "clip_l:2x768", Bundle + "clip_g:2x1280");
        var (before, copy) = (ConceptFile.Read(path), Path.Combine(_folder.FullName, "copy.safetensors"));

        File.WriteAllBytes(copy, BundledEmbeddings.Extract(path, 1000));

        using var file = SafetensorsFile.Open(copy);
        Assert.Equal(before.Dimensions, ConceptFile.Read(file, null, out var ignored).Dimensions);
        Assert.Empty(ignored);
    }

    [Fact]
    public void Extract_LoraWithoutABundle_IsRefusedByFileSizeAndKind()
    {
        var message = Assert.Throws<DtiException>(() => BundledEmbeddings.Extract(Write(Lora), 1 << 20)).Message;
        Assert.Contains(
            "x.safetensors is not an embedding file: it has 0 MiB, and an embedding file has at most 1. It is a LoRA.",
            message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Read_BundleOfSeveral_TakesTheOneOfTheConceptsName()
    {
        string[] tensors = [Lora, "bundle_emb.<my-cat>.emb_params:2x768", "bundle_emb.dog.emb_params:3x768"];

        Assert.Equal(2, Read(out _, placeholder: "<My_Cat>", tensors).VectorCount);
        Assert.Equal(3, Read(out _, placeholder: "<dog>", tensors).VectorCount);
        Assert.Contains("(<my-cat>, dog); import one of them", Refusal("<horse>", tensors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a LoRA", Lora)]
    [InlineData("a LoRA", "unet.up_blocks.0.attn.to_q.lora_A.weight:4x4")]
    [InlineData("a LoRA", "lycoris_unet_x.lokr_w1:4x4")]
    [InlineData("a LoRA", "unet.x.attn1.processor.to_q_lora.down.weight:4x4")]
    [InlineData("a hypernetwork", "768.0.linear.0.weight:4x4", "768.0.linear.0.bias:4")]
    [InlineData("a checkpoint", "model.diffusion_model.out.2.bias:4", "first_stage_model.decoder.conv_in.bias:4")]
    [InlineData("a UNet alone", "down_blocks.0.resnets.0.conv1.weight:4x4")]
    [InlineData("an autoencoder alone", "decoder.conv_in.weight:4x4")]
    [InlineData("a text encoder alone", "text_model.final_layer_norm.weight:4")]
    [InlineData("an IP-Adapter", "image_proj.proj.weight:4x4")]
    [InlineData("a ControlNet", "control_model.input_blocks.0.0.weight:4x4")]
    public void Read_AnotherKindOfFile_IsCalledByItsName(string kind, params string[] tensors) =>
        Assert.Contains($"is not an embedding file: it is {kind}", Refusal(null, tensors), StringComparison.Ordinal);

    [Theory]
    [InlineData("string_to_param.*, string_to_token.*", "string_to_token.*:1", "string_to_param.*:3x768")]
    [InlineData("Stable Diffusion 3", "clip_l:1x768", "clip_g:1x1280", "t5:1x4096")]
    [InlineData("has foo, oof", "emb_params:1x768", "foo:1x768", "oof:1x768")]
    [InlineData("two different tools", "emb_params:1x768", "clip_l:1x768")]
    [InlineData("two different tools", "clip_l:1x768", "text_encoders_0:1x768")]
    [InlineData("holds no vectors but clip_l_out", "clip_l_out:1x768")]
    [InlineData("has bundle_emb.cat.odd", "bundle_emb.cat.odd:1x768")]
    [InlineData("2 vectors for one text encoder and 3 for the other", "clip_l:2x768", "clip_g:3x1280")]
    public void Read_TensorsThatDoNotGoTogether_AreNamed(string expected, params string[] tensors) =>
        Assert.Contains(expected, Refusal(null, tensors), StringComparison.Ordinal);

    [Theory]
    [InlineData(0f, "row 2 of tensor 'clip_g' (3, 8) is all zero")]
    [InlineData(float.NaN, "row 2 of tensor 'clip_g' (3, 8) holds a value that is not finite")]
    [InlineData(float.PositiveInfinity, "row 2 of tensor 'clip_g' (3, 8) holds a value that is not finite")]
    public void Read_VectorWithoutDirection_NamesFileTensorAndRow(float value, string expected)
    {
        using var scope = NewDisposeScope();
        var broken = ones(3, 8);
        broken[2].fill_(value);
        var path = Save(new() { ["clip_l"] = ones(3, 4), ["clip_g"] = broken });

        var error = Assert.Throws<DtiException>(() => ConceptFile.Read(path));

        Assert.StartsWith($"{path}: {expected}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Formats_EveryKeyThatIsKnown_IsInTheDocumentation()
    {
        var text = File.ReadAllText(Path.Combine(Fixtures.Repository, "docs", "formats.md"));
        Assert.All(EmbeddingKeys.All, key => Assert.Contains($"`{key.Key}`", text, StringComparison.Ordinal));
    }

    private const string LoraName = "lora_unet_down_blocks_1_attn2_to_q.lora_down.weight";
    private const string Lora = LoraName + ":4x640";

    private ConceptEmbedding Read(out IReadOnlyList<string> ignored, params string[] tensors) =>
        Read(out ignored, null, tensors);

    private ConceptEmbedding Read(out IReadOnlyList<string> ignored, string? placeholder, string[] tensors)
    {
        using var file = SafetensorsFile.Open(Write(tensors));
        return ConceptFile.Read(file, placeholder, out ignored);
    }

    private string Refusal(string? placeholder, string[] tensors) =>
        Assert.Throws<DtiException>(() => ConceptFile.Read(Write(tensors), placeholder)).Message;

    /// <summary>Writes tensors of these names and sides, <c>name:2x768</c>, each filled with its place.</summary>
    private string Write(params string[] tensors)
    {
        using var scope = NewDisposeScope();
        return Save(
            tensors
                .Index()
                .ToDictionary(
                    tensor => tensor.Item[..tensor.Item.LastIndexOf(':')],
                    tensor => full(Sides(tensor.Item), tensor.Index + 1f)
                )
        );

        static long[] Sides(string tensor) =>
            [.. tensor[(tensor.LastIndexOf(':') + 1)..].Split('x').Select(long.Parse)];
    }

    private string Save(Dictionary<string, Tensor> tensors)
    {
        var path = Path.Combine(_folder.FullName, "x.safetensors");
        using var stream = File.Create(path);
        SafetensorsWriter.Write(stream, tensors);
        return path;
    }
}
