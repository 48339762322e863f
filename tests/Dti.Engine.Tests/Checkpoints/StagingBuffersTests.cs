using Dti.Engine.Checkpoints;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Checkpoints;

public sealed class StagingBuffersTests : IDisposable
{
    private readonly StagingBuffers _buffers = new();

    public void Dispose() => _buffers.Dispose();

    [Fact]
    public void Rent_OneAfterTheOther_IsTheSameBuffer()
    {
        Tensor first;
        using (var buffer = _buffers.Rent(ScalarType.Float16, 8))
        {
            first = buffer.Tensor;
        }

        using var again = _buffers.Rent(ScalarType.Float16, 4);
        Assert.Same(first, again.Tensor);
    }

    [Fact]
    public void Rent_WhileAnotherIsInUse_IsASecondBuffer()
    {
        using var one = _buffers.Rent(ScalarType.Float16, 8);
        using var two = _buffers.Rent(ScalarType.Float16, 8);

        Assert.NotSame(one.Tensor, two.Tensor);
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 8)]
    [InlineData(ScalarType.Float16, 16)]
    public void Rent_OtherTypeOrMoreElements_IsAFittingBufferAndFreesTheOther(ScalarType dtype, long count)
    {
        var former = _buffers.Rent(ScalarType.Float16, 8);
        former.Dispose();

        using var fitting = _buffers.Rent(dtype, count);

        Assert.Equal((dtype, count), (fitting.Tensor.dtype, fitting.Tensor.shape[0]));
        Assert.True(former.Tensor.IsInvalid);
    }

    [Fact]
    public void Dispose_ReturnedBuffers_AreFreed()
    {
        var buffer = _buffers.Rent(ScalarType.Float16, 8);
        buffer.Dispose();

        _buffers.Dispose();

        Assert.True(buffer.Tensor.IsInvalid);
    }
}
