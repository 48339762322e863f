using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// Buffers between a file and tensors of another dtype or device, one for each thread that reads at the same time. They
/// are used again: one for each tensor would leave the heap full of holes. Thread-safe.
/// </summary>
internal sealed class StagingBuffers : IDisposable
{
    private readonly ConcurrentBag<Tensor> _free = [];

    /// <summary>A buffer, until it is disposed of.</summary>
    /// <param name="dtype">Of its elements.</param>
    /// <param name="count">The elements that it has at least.</param>
    public Buffer Rent(ScalarType dtype, long count)
    {
        if (_free.TryTake(out var tensor) && (tensor.dtype != dtype || tensor.shape[0] < count))
        {
            tensor.Dispose();
            tensor = null;
        }

        return new Buffer(this, tensor ?? empty([count], dtype).DetachFromDisposeScope());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_free.TryTake(out var tensor))
        {
            tensor.Dispose();
        }
    }

    /// <summary>A buffer in use.</summary>
    internal sealed class Buffer(StagingBuffers owner, Tensor tensor) : IDisposable
    {
        public Tensor Tensor => tensor;

        public void Dispose() => owner._free.Add(tensor);
    }
}
