using Dti.Engine.Checkpoints;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Mini.Training;

/// <summary>The weights of a finished stage, in bf16, without gradients.</summary>
internal sealed class FrozenWeights(string path) : IWeightSource
{
    private readonly SafetensorsFile _file = SafetensorsFile.Open(path);

    public bool Contains(string name) => _file.Tensors.ContainsKey(name);

    public Tensor Take(string name, long[] shape)
    {
        using var stored = _file.Read(name);
        return stored.shape.SequenceEqual(shape)
            ? stored.to(Precision.Compute).DetachFromDisposeScope()
            : throw new InvalidOperationException(
                $"{name} is ({string.Join(", ", stored.shape)}), not ({string.Join(", ", shape)})."
            );
    }
}
