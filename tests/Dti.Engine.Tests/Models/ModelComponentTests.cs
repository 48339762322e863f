using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

/// <summary>
/// Idle components leave the device. Here the device is the CPU too, so only what happens is tried, not what it saves.
/// </summary>
public class ModelComponentTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    private static readonly MemoryPolicy _offloading = MemoryPolicy.High with { OffloadIdle = true };

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Run_IdleComponentsOffloaded_DrawsTheSamePicture(string family)
    {
        var resident = models.Model(family);
        using var offloading = StableDiffusionModel.Load(resident.Profile, resident.Target, _offloading);
        var settings = GenerationSettings.Resolve(
            new Engine.Generation.GenerationOptions
            {
                Prompt = "a cat",
                Width = 64,
                Height = 64,
                Steps = 2,
                Seed = 3,
                ImageCount = 2,
            },
            resident.Profile,
            () => 1
        );

        byte[][] Draw(StableDiffusionModel model) =>
            [
                .. new TextToImage(model)
                    .Run(settings, [], TestContext.Current.CancellationToken)
                    .OfType<GeneratedImage>()
                    .Select(picture => picture.Image.Pixels.ToArray()),
            ];

        Assert.Equal(Draw(resident), Draw(offloading));
    }

    [Fact]
    public void UseOnly_OtherParts_ReleasesTheRest()
    {
        var profile = models.Model("tiny-sd15").Profile;
        using var model = StableDiffusionModel.Load(profile, new ComputeTarget(CPU, ScalarType.Float32), _offloading);
        var (text, unet) = (model.TextEncoder, model.UNet);

        model.UseOnly(ModelParts.Denoiser);

        Assert.Same(unet, model.UNet);
        Assert.True(text.TokenEmbedding.IsInvalid);
        Assert.False(model.TextEncoder.TokenEmbedding.IsInvalid);
    }

    [Fact]
    public void UseOnly_NothingOffloaded_KeepsEverything()
    {
        var model = models.Model("tiny-sd15");
        var text = model.TextEncoder;

        model.UseOnly(ModelParts.Denoiser);

        Assert.Same(text, model.TextEncoder);
        Assert.False(text.TokenEmbedding.IsInvalid);
    }
}
