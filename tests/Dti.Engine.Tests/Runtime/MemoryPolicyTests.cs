using Dti.Engine.Runtime.Devices;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Runtime;

public class MemoryPolicyTests
{
    private static readonly ComputeTarget _cpu = new(CPU, ScalarType.Float32);
    private static readonly ComputeTarget _cuda = new(new Device(TorchSharp.DeviceType.CUDA, 0), ScalarType.BFloat16);

    [Theory]
    [InlineData(7L, 8L, "low", false)]
    [InlineData(7L, 16L, "balanced", false)]
    [InlineData(4L, 15L, "balanced", true)]
    [InlineData(2L, 8L, "high", true)]
    [InlineData(2L, null, "balanced", false)]
    public void Fitting_WeightsAndDevice_GoesByTheirRatio(
        long weights,
        long? device,
        string expected,
        bool keepsTransposed
    )
    {
        var policy = MemoryPolicy.Fitting(weights << 30, device << 30);
        Assert.Equal((expected, keepsTransposed), (policy.Name, policy.KeepTransposed));
    }

    [Fact]
    public void Resolve_Auto_AsksTheDevice()
    {
        Assert.Equal("high", MemoryPolicy.Resolve(null, 1 << 20, _cpu).Name);
        Assert.Equal("low", MemoryPolicy.Resolve("auto", long.MaxValue / 4, _cpu).Name);
    }

    [Theory]
    [InlineData("low", 512, true)]
    [InlineData("balanced", 1024, false)]
    [InlineData("high", null, false)]
    public void Resolve_Name_TakesItAsItIs(string name, int? tile, bool checkpoints)
    {
        var policy = MemoryPolicy.Resolve(name, 1, _cpu);
        Assert.Equal((name, tile, checkpoints), (policy.Name, policy.AutoencoderTile, policy.CheckpointActivations));
    }

    [Fact]
    public void Resolve_Cpu_OffloadsNothing()
    {
        Assert.True(MemoryPolicy.Resolve("low", 1, _cuda).OffloadIdle);
        Assert.False(MemoryPolicy.Resolve("low", 1, _cpu).OffloadIdle);
    }

    [Fact]
    public void Resolve_UnknownName_IsRefused() =>
        Assert.Equal("memory", Assert.Throws<DtiException>(() => MemoryPolicy.Resolve("tiny", 1, _cpu)).Field);
}
