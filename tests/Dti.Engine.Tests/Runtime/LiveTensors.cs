using TorchSharp;

namespace Dti.Engine.Tests.Runtime;

/// <summary>
/// Tensors that the calling thread made and has not disposed of. Unlike <c>Tensor.TotalCount</c> it knows nothing of
/// other threads, nor of the garbage of earlier tests, whose finalizers lower that count at any time; and a tensor left
/// to the collector counts as kept.
/// </summary>
internal static class LiveTensors
{
    public static long OfThisThread => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
}
