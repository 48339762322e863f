using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Runtime.Devices;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

/// <summary>A model's metadata, packed and read again without its weights.</summary>
public sealed class ModelMetadataTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-metadata-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("tiny-sd15")]
    [InlineData("tiny-sd21")]
    [InlineData("tiny-sdxl")]
    [InlineData("tiny-sana")]
    public void Unpack_ModelFolder_ReadsAsTheSameProfile(string family)
    {
        var model = ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, family));

        var copy = Unpacked(model);

        Assert.Equal(Facts(model), Facts(copy));
        foreach (var (encoder, copied) in model.Encoders.Zip(copy.Encoders))
        {
            Assert.Equal(encoder.Tokenizer.Encode("a photo of a dog"), copied.Tokenizer.Encode("a photo of a dog"));
            Assert.Equal(encoder.VocabularyNorms.Mean, copied.VocabularyNorms.Mean);
            Assert.Equal(encoder.VocabularyNorms.Of(7), copied.VocabularyNorms.Of(7));
        }
    }

    [Fact]
    public void Unpack_SingleFile_ReadsAsTheSameProfile()
    {
        var file = Path.Combine(Fixtures.Root, "tiny-sd15", "single_file.safetensors");
        var model = Read(file);

        var path = ModelMetadata.Unpack(ModelMetadata.Pack(model), _folder.CreateSubdirectory("copy").FullName);
        var copy = Read(path);

        Assert.Equal(Facts(model), Facts(copy));
        Assert.Equal(model.VocabularyNorms.Mean, copy.VocabularyNorms.Mean);
        Assert.True(new FileInfo(path).Length < new FileInfo(file).Length / 2);

        // it is smaller than the published models, whose configs a single file takes
        static ModelProfile Read(string path) =>
            ModelFamilies.BuiltIn.Describe(
                ModelFamilies.BuiltIn.OpenFile(
                    path,
                    like: ModelFamilies.BuiltIn.Open(Path.Combine(Fixtures.Root, "tiny-sd15"))
                )
            );
    }

    [Fact]
    public void Load_WithoutWeights_SaysWhereTheyAre()
    {
        var copy = Unpacked(ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, "tiny-sd15")));

        var refused = Assert.Throws<DtiException>(() => copy.Load(new ComputeTarget(CPU, ScalarType.Float32)));

        Assert.Contains("on other hosts", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_HeaderThatStatesMoreDataThanThereIs_IsRefusedBeforeMemoryIsAllocated()
    {
        var path = Path.Combine(_folder.FullName, "huge.safetensors");
        const long Elements = 1L << 45;
        var header = System.Text.Encoding.UTF8.GetBytes(
            $$$"""{"__metadata__":{"dti.data_bytes":"{{{4 * Elements}}}"},"a":{"dtype":"F32","shape":[{{{Elements}}}],"data_offsets":[0,{{{4 * Elements}}}]}}"""
        );
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((ulong)header.Length), .. header]);
        using var file = SafetensorsFile.Open(path);

        Assert.Throws<DtiException>(() => file.Read("a"));
    }

    [Fact]
    public void Unpack_NameThatLeavesTheFolder_IsRefused()
    {
        using var packed = new MemoryStream();
        using (
            var archive = new System.IO.Compression.ZipArchive(
                packed,
                System.IO.Compression.ZipArchiveMode.Create,
                leaveOpen: true
            )
        )
        {
            archive.CreateEntry("../outside.json").Open().Dispose();
        }

        var folder = _folder.CreateSubdirectory("inside").FullName;
        Assert.Throws<IOException>(() => ModelMetadata.Unpack(packed.ToArray(), folder));
        Assert.False(File.Exists(Path.Combine(_folder.FullName, "outside.json")));
    }

    private ModelProfile Unpacked(ModelProfile model) =>
        ModelFamilies.BuiltIn.Read(
            ModelMetadata.Unpack(ModelMetadata.Pack(model), _folder.CreateSubdirectory("copy").FullName)
        );

    private static object Facts(ModelProfile model) =>
        (
            (model.Name, model.Family, model.Resolution, model.MaxClipSkip, model.SizeBytes, model.StoredDtype),
            (model.EmbeddingDimension, model.Domain, model.LacksAutoencoder, model.Encoders.Count),
            model.HeldBytes(new ComputeTarget(CPU, ScalarType.Float32))
        );
}
