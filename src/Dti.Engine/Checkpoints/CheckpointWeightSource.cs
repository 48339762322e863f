using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// Weights from a checkpoint: each tensor is read once, straight into memory of the asked dtype, when all are taken.
/// Owns what it handed out.
/// </summary>
/// <param name="weights">The checkpoint; needed only while modules are built.</param>
/// <param name="dtype">The dtype that the model computes in.</param>
/// <param name="device">The device that it computes on.</param>
/// <param name="held">The dtype of weights that are turned into that one as they are used; null: the same.</param>
public sealed class CheckpointWeightSource(
    ComponentWeights weights,
    ScalarType dtype,
    Device device,
    ScalarType? held = null
) : IWeightSource, IDisposable
{
    private readonly Dictionary<string, Tensor> _taken = new(StringComparer.Ordinal);

    /// <summary>What was handed out, by name.</summary>
    internal IReadOnlyDictionary<string, Tensor> Taken => _taken;

    /// <inheritdoc/>
    public bool Contains(string name) => weights.Contains(name);

    /// <summary>Memory for a tensor; its values come with <see cref="ReadAll"/>.</summary>
    /// <exception cref="DtiException">There is none of that name, or it is of another shape.</exception>
    public Tensor Take(string name, long[] shape) => Take(name, shape, dtype);

    /// <inheritdoc cref="Take(string, long[])"/>
    public Tensor TakeHeld(string name, long[] shape) => Take(name, shape, held ?? dtype);

    private Tensor Take(string name, long[] shape, ScalarType dtype)
    {
        weights.EnsureShape(name, shape);
        var tensor = empty(shape, dtype, device).DetachFromDisposeScope();
        _taken.Add(name, tensor);
        return tensor;
    }

    /// <summary>Reads the values of all that was handed out, the large tensors first, on all cores.</summary>
    /// <exception cref="DtiException">
    /// The checkpoint holds more than was taken: it is of another architecture than its config says; up to five of the
    /// extra tensors are named. Or a file cannot be read.
    /// </exception>
    public void ReadAll()
    {
        UnreadTensors.EnsureAllTaken(weights, _taken.Keys.ToHashSet(StringComparer.Ordinal));
        try
        {
            var largestFirst = _taken.OrderByDescending(taken => weights.Entry(taken.Key).Length).ToArray();
            Parallel.ForEach(Partitioner.Create(largestFirst, EnumerablePartitionerOptions.NoBuffering), taken =>
                weights.ReadInto(taken.Key, taken.Value)
            );
        }
        catch (AggregateException errors)
        {
            ExceptionDispatchInfo.Throw(errors.InnerExceptions[0]);
        }
    }

    /// <summary>Frees all weights.</summary>
    public void Dispose()
    {
        foreach (var tensor in _taken.Values)
        {
            tensor.Dispose();
        }

        _taken.Clear();
    }
}
