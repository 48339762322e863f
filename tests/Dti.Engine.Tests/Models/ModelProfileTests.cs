using Dti.Engine.Checkpoints;
using Dti.Engine.Models.Families;
using Dti.Engine.Runtime.Devices;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

public class ModelProfileTests
{
    [Fact]
    public void HeldBytes_HalfPrecision_HalvesAllButAnAutoencoderThatNeedsFp32()
    {
        var folder = Path.Combine(Fixtures.Root, "tiny-sdxl"); // stored in fp32
        var profile = ModelFamilies.BuiltIn.Read(folder);
        using var vae = ComponentWeights.Open(Path.Combine(folder, "vae"));

        Assert.Equal(profile.SizeBytes, profile.HeldBytes(new ComputeTarget(CPU, ScalarType.Float32)));
        Assert.Equal(
            ((profile.SizeBytes - vae.TotalBytes) / 2) + vae.TotalBytes,
            profile.HeldBytes(new ComputeTarget(CPU, ScalarType.BFloat16))
        );
        Assert.Equal("fp32", profile.StoredDtype);
    }

    [Theory]
    [InlineData(ScalarType.Float32, null, "fp32")]
    [InlineData(ScalarType.BFloat16, null, "bf16")]
    [InlineData(ScalarType.Float16, null, "fp16")]
    [InlineData(ScalarType.Float16, Float8.E4M3, "fp8_e4m3")]
    [InlineData(ScalarType.Float16, Float8.E5M2, "fp8_e5m2")]
    public void StoredDtype_OfATensor_IsWhatTheFileHolds(ScalarType dtype, Float8? packed, string expected) =>
        Assert.Equal(expected, new SafetensorsEntry("x", dtype, [1], 0, 1, packed).StoredDtype);

    [Theory]
    [InlineData("sd1", 768)]
    [InlineData("sd2", 1024)]
    [InlineData("sdxl", 768, 1280)]
    [InlineData(null, 1280)]
    public void PublishedFamily_OfAConcept_IsToldByItsWidths(string? family, params int[] widths)
    {
        var vectors = widths.Select(width => new Engine.Concepts.DirectionalVectors(
            [
                [.. Enumerable.Repeat(1f, width)],
            ],
            [1f]
        ));

        Assert.Equal(family, new Engine.Concepts.ConceptEmbedding("<x>", [.. vectors]).PublishedFamily);
    }
}
