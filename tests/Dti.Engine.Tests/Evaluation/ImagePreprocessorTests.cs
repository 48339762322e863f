using System.Text.Json.Nodes;
using Dti.Engine.Evaluation;
using Dti.Engine.Imaging;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Evaluation;

public sealed class ImagePreprocessorTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-preprocessor-");

    [Fact]
    public void PixelValues_Resample2_ResizesBilinearlyAsPillow()
    {
        using var scope = NewDisposeScope();
        using var fixture = new EvaluatorFixture("siglip");

        var pixels = With("siglip", config => config["resample"] = 2).PixelValues(fixture.Images[..1]);

        fixture.Golden.AssertClose("pixel_values_bilinear_pil", pixels);
    }

    [Fact]
    public void PixelValues_SizesInTodaysForm_GivesTheSameAsTheOldForm()
    {
        using var scope = NewDisposeScope();
        using var fixture = new EvaluatorFixture("clip");
        var today = With("clip", config =>
        {
            config["size"] = new JsonObject { ["shortest_edge"] = 32 };
            config["crop_size"] = new JsonObject { ["height"] = 32, ["width"] = 32 };
            config["do_rescale"] = true;
            config["rescale_factor"] = 0.00392156862745098;
        });

        fixture.Golden.AssertClose("pixel_values_pil", today.PixelValues(fixture.Images));
    }

    [Fact]
    public void PixelValues_OneNumberWithoutCut_ResizesBothEdges()
    {
        using var scope = NewDisposeScope();
        using var fixture = new EvaluatorFixture("siglip");

        fixture.Golden.AssertClose(
            "pixel_values_pil",
            With("siglip", config => config["size"] = 32).PixelValues(fixture.Images)
        );
    }

    [Fact]
    public void PixelValues_ThinStrip_IsRefused()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<DtiException>(() =>
            With("clip", _ => { }).PixelValues([new RgbImage(900, 1, new byte[2700])])
        );

        Assert.Equal(ErrorKind.InvalidArgument, error.Kind);
        Assert.Contains("900 × 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ShortestEdgeWithoutCut_IsRefused()
    {
        var error = Assert.Throws<DtiException>(() => With("dinov2", config => config["do_center_crop"] = false));

        Assert.Contains("crop_size that is absent", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("resample", "1", "resample 1")]
    [InlineData("resample", "\"cubic\"", "resample is \"cubic\"")]
    [InlineData("rescale_factor", "0.5", "rescale_factor")]
    [InlineData("do_normalize", "false", "do_normalize false")]
    [InlineData("crop_size", "33", "crop_size that is absent or larger than size")]
    [InlineData("image_mean", "[1, 2]", "image_mean must be a list of 3 numbers")]
    [InlineData("image_std", "[1, 1e999, 1]", "image_std must be a list of 3 numbers")]
    [InlineData("image_std", "[1, 0, 1]", "image_std of 0")]
    [InlineData("size", "\"large\"", "size is \"large\"; expected an object")]
    [InlineData("size", "1000000", "size is 1000000")]
    public void Load_NotSupported_NamesTheSetting(string key, string value, string expected)
    {
        var error = Assert.Throws<DtiException>(() => With("clip", config => config[key] = JsonNode.Parse(value)));

        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.Contains("preprocessor_config.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private ImagePreprocessor With(string name, Action<JsonNode> change)
    {
        var config = JsonNode.Parse(
            File.ReadAllText(Path.Combine(EvaluatorFixture.Root, name, "preprocessor_config.json"))
        )!;
        change(config);
        File.WriteAllText(Path.Combine(_folder.FullName, "preprocessor_config.json"), config.ToJsonString());
        return ImagePreprocessor.Load(_folder.FullName);
    }
}
