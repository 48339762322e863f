using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

public sealed class LatentRgbFactorsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-factors").FullName;

    public LatentRgbFactorsTests() => Fixtures.CopyModel("tiny-sd15", _folder);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("tiny-sd15", 0.3512f)]
    [InlineData("tiny-sd21", 0.3512f)]
    [InlineData("tiny-sdxl", 0.3651f)]
    public void Of_PublishedAutoencoder_IsToldByItsScalingFactor(string family, float first) =>
        Assert.Equal(first, ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, family)).LatentRgb!.Factors[0, 0]);

    [Fact]
    public void Draw_LatentsOfAModelThatSays_AreMappedByItsFactors()
    {
        var factors = Read(
            """{"latent_rgb_factors": [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0.5]], "latent_rgb_factors_bias": [0, 0, -0.5]}"""
        );
        using var latents = tensor(new[] { 1f, -1, 0, 0.6f, 0.5f, 0, 2, 1 }, [1, 4, 1, 2]);

        var picture = factors.Draw(latents);

        Assert.Equal((2, 1), (picture.Width, picture.Height));
        Assert.Equal([255, 128, 255, 0, 204, 128], picture.Pixels.ToArray()); // (1, 0, 1) and (−1, 0.6, 0)
    }

    [Theory]
    [InlineData("""{"latent_rgb_factors": [[1, 0, 0]]}""", "1 rows")]
    [InlineData("""{"latent_rgb_factors": 3}""", "list")]
    [InlineData("""{"latent_rgb_factors": [[1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]}""", "three numbers")]
    [InlineData("""{"latent_rgb_factors": [[1, 0, "red"], [0, 1, 0], [0, 0, 1], [0, 0, 0]]}""", "three numbers")]
    [InlineData("""{"latent_rgb_factors": [[1e9, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]}""", "three numbers")]
    [InlineData(
        """{"latent_rgb_factors": [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], "latent_rgb_factors_bias": [1]}""",
        "latent_rgb_factors_bias"
    )]
    public void Read_FactorsThatMakeNoSense_AreTheModelsProblem(string json, string why)
    {
        var error = Assert.Throws<DtiException>(() => Read(json));

        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.Contains(ModelNotes.FileName, error.Message, StringComparison.Ordinal);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    private LatentRgbFactors Read(string json)
    {
        File.WriteAllText(Path.Combine(_folder, ModelNotes.FileName), json);
        return ModelFamilies.BuiltIn.Read(_folder).LatentRgb!;
    }
}
