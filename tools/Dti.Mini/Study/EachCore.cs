using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>Work of studies, one item per core: for a model this small, that is faster than all cores for one.</summary>
internal static class EachCore
{
    /// <summary>Does all work. An item is taken when a core is free, in order.</summary>
    /// <param name="work">The items.</param>
    /// <param name="act">What is done with each, in a dispose scope of its own.</param>
    public static void Run<T>(IEnumerable<T> work, Action<T> act) =>
        Parallel.ForEach(
            Partitioner.Create(work, EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            item =>
            {
                set_num_threads(1);
                using var scope = NewDisposeScope();
                act(item);
            }
        );
}
