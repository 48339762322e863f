using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Tests;

namespace Dti.Engine.Tests.Models;

/// <summary>The photo encoder as an optional component of a model folder.</summary>
public sealed class PhotoEncoderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-photo-encoder-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("tiny-sd15")]
    [InlineData("tiny-sdxl")]
    [InlineData("tiny-sana")]
    public void Read_FolderWithAPhotoEncoder_CountsItsWeights(string family)
    {
        var without = ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, family));
        var with = ModelFamilies.BuiltIn.Read(Folder(family));

        Assert.False(without.HasPhotoEncoder);
        Assert.True(with.HasPhotoEncoder);
        var bytes = new FileInfo(Path.Combine(with.Path, "photo_encoder", "model.safetensors")).Length;
        Assert.InRange(with.SizeBytes - without.SizeBytes, bytes / 2, bytes); // the file has a header, too
    }

    [Fact]
    public void Unpack_Metadata_StillHasThePhotoEncoder()
    {
        var packed = ModelMetadata.Pack(ModelFamilies.BuiltIn.Read(Folder("tiny-sd15")));

        var copy = ModelFamilies.BuiltIn.Read(
            ModelMetadata.Unpack(packed, _folder.CreateSubdirectory("copy").FullName)
        );

        Assert.True(copy.HasPhotoEncoder);
    }

    [Theory]
    [InlineData("\"in_channels\":4", "\"in_channels\":8", "do not fit the model")]
    [InlineData("\"embedding_dims\":[32]", "\"embedding_dims\":[16]", "do not fit the model")]
    [InlineData("\"norm_num_groups\":4", "\"norm_num_groups\":3", "norm_num_groups 3")]
    [InlineData("\"block_out_channels\":[8,16]", "\"block_out_channels\":[8,32]", "was expected from the config")]
    [InlineData("\"_class_name\":\"PhotoEncoder\"", "\"_class_name\":\"Other\"", "_class_name \"Other\"")]
    public void Read_ConfigThatDoesNotFit_IsTheModelsProblem(string right, string wrong, string expected)
    {
        var folder = Folder("tiny-sd15");
        var file = Path.Combine(folder, "photo_encoder", "config.json");
        var config = File.ReadAllText(file);
        Assert.Contains(right, config, StringComparison.Ordinal);
        File.WriteAllText(file, config.Replace(right, wrong, StringComparison.Ordinal));

        var error = Assert.Throws<DtiException>(() => ModelFamilies.BuiltIn.Read(folder));

        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.Contains("photo_encoder", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private string Folder(string family) =>
        TinyPhotoEncoder.AddTo(Fixtures.CopyModel(family, Path.Combine(_folder.FullName, family)));
}
