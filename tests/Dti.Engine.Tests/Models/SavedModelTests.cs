using Dti.Engine.Generation;
using Dti.Engine.Models.Families;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

/// <summary>Tiny models as current diffusers and transformers save them (<c>tests/fixtures/saved/README.md</c>).</summary>
public class SavedModelTests
{
    [Theory]
    [InlineData("sd1", "fp32", "pndm", "epsilon")]
    [InlineData("sd2", "fp16", "ddim", "v_prediction")] // sharded, as a variant
    [InlineData("sdxl", "bf16", "euler", "epsilon")]
    public void Run_ModelSavedByCurrentDiffusers_GeneratesItsImage(string family, string dtype, string sampler, string prediction)
    {
        var folder = Path.Combine(Fixtures.Repository, "tests", "fixtures", "saved", family);
        var profile = ModelFamilies.BuiltIn.Read(folder);
        Assert.Equal(
            (family, dtype, sampler, prediction),
            (profile.Family, profile.StoredDtype, profile.Noise.DefaultSampler, PredictionTypes.NameOf(profile.Noise.PredictionType)));

        using var scope = NewDisposeScope();
        using var model = profile.Load(new ComputeTarget(CPU, ScalarType.Float32));
        var settings = GenerationSettings.Resolve(
            new GenerationOptions { Prompt = "a photo of a cat", NegativePrompt = "blue", Width = 64, Height = 64, Steps = 4, GuidanceScale = 5, Seed = 7 }, profile, () => 1);
        var image = new TextToImage(model).Run(settings, [], TestContext.Current.CancellationToken).OfType<GeneratedImage>().Single().Image;

        using var golden = new Golden(Path.Combine(folder, "expected", "image.safetensors"));
        var expected = golden["image"].data<byte>().ToArray();
        Assert.All(expected.Zip(image.Pixels.ToArray()), pixel => Assert.InRange(Math.Abs(pixel.First - pixel.Second), 0, 1));
    }
}
