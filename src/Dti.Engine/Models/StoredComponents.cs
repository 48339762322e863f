using Dti.Engine.Checkpoints;

namespace Dti.Engine.Models;

/// <summary>How a model's components are stored, from the headers of their files.</summary>
internal sealed class StoredComponents
{
    private readonly Dictionary<string, Stored> _components;

    /// <param name="components">Their names.</param>
    /// <param name="open">Opens the weights of one.</param>
    /// <exception cref="DtiException">Weights are missing or not valid.</exception>
    public StoredComponents(IEnumerable<string> components, Func<string, ComponentWeights> open) =>
        _components = components.ToDictionary(
            component => component,
            component =>
            {
                using var weights = open(component);
                return new Stored(weights.TotalBytes, weights.TotalElements, weights.StoredDtype);
            }
        );

    /// <summary>All components.</summary>
    public IEnumerable<string> Names => _components.Keys;

    /// <summary>Bytes on disk.</summary>
    public long Bytes => _components.Values.Sum(component => component.Bytes);

    /// <summary>Numbers that a component has.</summary>
    public long ElementsOf(string component) => _components[component].Elements;

    /// <summary>What most of a component is stored as.</summary>
    public string DtypeOf(string component) => _components[component].Dtype;

    private sealed record Stored(long Bytes, long Elements, string Dtype);
}
