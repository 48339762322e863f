using Dti.Server.Libraries;
using Dti.Tests;

namespace Dti.Server.Tests;

public sealed class ModelFingerprintTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-models-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Of_CopyWithAReadme_IsTheSame()
    {
        var copy = Copy("copy");
        File.WriteAllText(Path.Combine(copy, "README.md"), "a model");

        Assert.Equal(ModelFingerprint.Of(Path.Combine(Fixtures.Root, "tiny-sd15")), ModelFingerprint.Of(copy));
    }

    [Fact]
    public void Of_OtherWeightsOfTheSameShape_Differs()
    {
        var (one, other) = (Copy("one"), Copy("other"));
        foreach (var file in Directory.GetFiles(other, "*.safetensors", SearchOption.AllDirectories))
        {
            using var weights = File.Open(file, FileMode.Open);
            weights.Position = weights.Length - 2;
            weights.Write([1, 2]);
        }

        Assert.NotEqual(ModelFingerprint.Of(one), ModelFingerprint.Of(other));
    }

    private string Copy(string name)
    {
        var target = Path.Combine(_folder.FullName, name);
        var source = Path.Combine(Fixtures.Root, "tiny-sd15");
        foreach (var file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
        {
            var place = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Copy(file, place);
        }

        return target;
    }
}
