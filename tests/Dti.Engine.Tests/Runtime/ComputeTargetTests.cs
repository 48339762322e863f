using Dti.Engine.Models.Families;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Runtime.Kernels;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Runtime;

public class ComputeTargetTests
{
    [Fact]
    public void Resolve_Bf16OnAProcessorWithoutIt_HoldsWeightsInItAndComputesInFp32()
    {
        var target = ComputeTarget.Resolve("cpu", "bf16");
        var computes = OneDnn.Supports(ScalarType.BFloat16) || !OneDnn.IsAvailable;

        Assert.Equal(computes ? ScalarType.BFloat16 : ScalarType.Float32, target.Dtype);
        Assert.Equal(ScalarType.BFloat16, target.HeldDtype);
        Assert.Equal("bf16", target.DtypeName);
    }

    [Fact]
    public void HeldBytes_SmallModelHeldInBf16_IsAllFp32()
    {
        var profile = ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, "tiny-sd15"));
        Assert.Equal(profile.SizeBytes, profile.HeldBytes(ComputeTarget.HoldingBFloat16));
    }

    [Theory]
    [InlineData("auto", ScalarType.Float32)]
    [InlineData("fp32", ScalarType.Float32)]
    public void Resolve_OtherDtypeOnACpu_HoldsWhatItComputesIn(string name, ScalarType dtype)
    {
        var target = ComputeTarget.Resolve("cpu", name);
        Assert.Equal((dtype, dtype), (target.Dtype, target.HeldDtype));
    }
}
