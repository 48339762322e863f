using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>A layer's weight, which never changes and takes no gradient, and what the layer computes with it.</summary>
internal abstract class FrozenWeight : ILayerKernel, IDisposable
{
    /// <summary>The layer's result, with a graph where <paramref name="x"/> has one.</summary>
    public Tensor Forward(Tensor x)
    {
        if (!x.requires_grad || !is_grad_enabled())
        {
            return Compute(x);
        }

        using var scope = NewDisposeScope(); // TorchSharp makes a tensor like each result and never uses it
        return FrozenFunction.apply(x, this).MoveToOuterDisposeScope();
    }

    /// <summary>The layer's result. No graph.</summary>
    public abstract Tensor Compute(Tensor x);

    /// <summary>The gradient with respect to the input.</summary>
    /// <param name="gradient">With respect to the result.</param>
    /// <param name="inputShape">Of the input.</param>
    public abstract Tensor Gradient(Tensor gradient, long[] inputShape);

    /// <summary>Frees the copy for the backward pass; it is created again when it is needed.</summary>
    public abstract void ReleaseTransposed();

    /// <inheritdoc/>
    public abstract void Dispose();
}
