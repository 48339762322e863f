using Dti.Engine.Checkpoints;
using Dti.Engine.Models.Families;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Checkpoints;

/// <summary>
/// The same weights as a folder and as a single file: every tensor is found, in its shape, bit for bit.
/// </summary>
public class OriginalLayoutTests
{
    public static TheoryData<string, string, string> Components() =>
        new()
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
        var (expectedPrefix, rows) = ModelFamilies
            .BuiltIn.SingleFiles.First(layout => layout.Matches(file))
            .Layout(component, ModelFamilies.BuiltIn.Open(Path.Combine(Fixtures.Root, family)).ReadConfig(component));

        var found = StoredTensor.Find(rows, expectedPrefix, file.Tensors.Values, out var unknown);

        Assert.Equal(prefix, expectedPrefix);
        Assert.All(unknown, name => Assert.EndsWith("logit_scale", name));
        Assert.Equal(
            folder.Names.Order(),
            found.Keys.Where(name => !name.EndsWith("position_ids", StringComparison.Ordinal)).Order()
        );
        foreach (var name in folder.Names)
        {
            var expected = folder.FileOf(name).Read(name);
            var stored = found[name];
            Assert.Equal(expected.shape, stored.Shape);
            var tensor = file.Read(stored.Entry);
            Assert.True(expected.eq(stored.Transposed ? tensor.t() : tensor).all().item<bool>(), name);
        }
    }
}
