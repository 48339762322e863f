using TorchSharp;

namespace Dti.Engine.Weights;

/// <summary>Where a model's weights come from: a checkpoint, or a fresh initialisation.</summary>
public interface IWeightSource
{
    /// <summary>The tensor of that name, owned by the source.</summary>
    /// <param name="name">Full key, <c>down_blocks.0.resnets.1.conv1.weight</c>.</param>
    /// <param name="shape">The shape that the model needs.</param>
    /// <exception cref="DtiException">It is missing or of another shape; the message names file, tensor, expected and
    /// found.</exception>
    torch.Tensor Take(string name, long[] shape);

    /// <summary>As <see cref="Take"/>, of the dtype that large weights are held in until they are used.</summary>
    /// <param name="name">Full key.</param>
    /// <param name="shape">The shape that the model needs.</param>
    torch.Tensor TakeHeld(string name, long[] shape) => Take(name, shape);

    /// <summary>Whether there is a tensor of that name.</summary>
    bool Contains(string name);
}

/// <summary>A name prefix in a weight source: hands each module the weights that are its own.</summary>
/// <param name="Source">The source.</param>
/// <param name="Prefix">Names in this scope start with it and a dot; empty: all.</param>
public readonly record struct WeightScope(IWeightSource Source, string Prefix = "")
{
    /// <summary>The scope below this one.</summary>
    public WeightScope Sub(string name) => this with { Prefix = Join(name) };

    /// <summary>The scope of an item of a list: <c>resnets.0</c>.</summary>
    public WeightScope Sub(int index) => Sub(index.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <inheritdoc cref="IWeightSource.Take"/>
    public torch.Tensor Take(string name, params long[] shape) => Source.Take(Join(name), shape);

    /// <inheritdoc cref="IWeightSource.TakeHeld"/>
    internal torch.Tensor TakeHeld(string name, params long[] shape) => Source.TakeHeld(Join(name), shape);

    /// <inheritdoc cref="IWeightSource.Contains"/>
    public bool Contains(string name) => Source.Contains(Join(name));

    private string Join(string name) => Prefix.Length == 0 ? name : $"{Prefix}.{name}";
}
