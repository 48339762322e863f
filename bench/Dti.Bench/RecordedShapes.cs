using Dti.Engine.Weights;
using TorchSharp;

namespace Dti.Bench;

/// <summary>Says yes to every tensor and remembers it: the shapes of a module's weights.</summary>
internal sealed class RecordedShapes : IWeightSource
{
    public Dictionary<string, IReadOnlyList<long>> Shapes { get; } = new(StringComparer.Ordinal);

    public bool Contains(string name) => false;

    public torch.Tensor Take(string name, long[] shape)
    {
        Shapes.Add(name, shape);
        return torch.empty(0);
    }
}
