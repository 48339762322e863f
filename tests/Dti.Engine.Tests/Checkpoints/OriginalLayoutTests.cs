using Dti.Engine.Checkpoints;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Checkpoints;

/// <summary>The same weights as a folder and as a single file: every tensor is found, in its shape, bit for bit.</summary>
public class OriginalLayoutTests
{
    public static TheoryData<string, string, string> Components() => new()
    {
        { "tiny-sd15", "unet", "model.diffusion_model." },
        { "tiny-sd15", "vae", "first_stage_model." },
        { "tiny-sd15", "text_encoder", "cond_stage_model.transformer." },
        { "tiny-sdxl", "unet", "model.diffusion_model." },
        { "tiny-sdxl", "vae", "first_stage_model." },
        { "tiny-sdxl", "text_encoder", "conditioner.embedders.0.transformer." },
        { "tiny-sdxl", "text_encoder_2", "conditioner.embedders.1.model." },
    };

    [Theory]
    [MemberData(nameof(Components))]
    public void Find_SingleFile_HoldsTheFoldersTensors(string family, string component, string prefix)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Path.Combine(Fixtures.Root, family, "single_file.safetensors"));
        using var folder = ComponentWeights.Open(Path.Combine(Fixtures.Root, family, component));
        var rows = component switch
        {
            "unet" => OriginalLayout.UNet(levels: 4, layers: 2),
            "vae" => OriginalLayout.Vae(levels: family == "tiny-sd15" ? 4 : Levels(folder), layers: Layers(folder)),
            "text_encoder_2" => OriginalLayout.OpenClip(layers: 32, projection: true),
            _ => OriginalLayout.Clip,
        };

        var found = StoredTensor.Find(rows, prefix, file.Tensors.Values, out var unknown);

        Assert.All(unknown, name => Assert.EndsWith("logit_scale", name));
        Assert.Equal(folder.Names.Order(), found.Keys.Where(name => !name.EndsWith("position_ids", StringComparison.Ordinal)).Order());
        foreach (var name in folder.Names)
        {
            var expected = folder.FileOf(name).Read(name);
            var stored = found[name];
            Assert.Equal(expected.shape, stored.Shape);
            var tensor = file.Read(stored.Entry);
            Assert.True(expected.eq(stored.Transposed ? tensor.t() : tensor).all().item<bool>(), name);
        }
    }

    private static int Levels(ComponentWeights vae) => vae.Names.Count(name => name.StartsWith("encoder.down_blocks.", StringComparison.Ordinal) && name.EndsWith("resnets.0.conv1.weight", StringComparison.Ordinal));

    private static int Layers(ComponentWeights vae) => vae.Names.Count(name => name.StartsWith("encoder.down_blocks.0.resnets.", StringComparison.Ordinal) && name.EndsWith("conv1.weight", StringComparison.Ordinal));
}
