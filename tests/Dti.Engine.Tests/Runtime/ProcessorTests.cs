using Dti.Engine.Runtime.Kernels;

namespace Dti.Engine.Tests.Runtime;

public class ProcessorTests
{
    [Theory]
    [InlineData(0x00A10F11, 25)] // Zen 4
    [InlineData(0x00B40F40, 26)] // Zen 5
    [InlineData(0x000806F8, 6)] // Sapphire Rapids
    public void Family_SignaturesOfProcessors_IsWhatTheirMakersCallThem(int signature, int family) =>
        Assert.Equal(family, Processor.Family(signature));
}
