using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// Activation checkpointing (arXiv 1604.06174): blocks run without a graph, and once more with one when gradients are
/// taken, the last first. Of a block only its inputs and its result are kept. Weights take no gradients, so a block
/// before the first learnt vector has no graph at all, and is not run again.
/// </summary>
public sealed class ActivationCheckpoints : IDisposable
{
    private readonly Stack<Block> _blocks = [];

    /// <summary>
    /// Takes the gradients of all leaves behind a loss, which add up in their <c>grad</c>. The results of all blocks
    /// are freed.
    /// </summary>
    /// <param name="loss">(), a function of the results of blocks.</param>
    public void Backward(Tensor loss)
    {
        loss.backward();
        while (_blocks.TryPop(out var block))
        {
            using (block)
            {
                block.Backward();
            }
        }
    }

    /// <summary>Runs a block, to be run again for its gradient.</summary>
    /// <returns>A leaf that takes gradients, owned by these checkpoints; a plain tensor if no input takes
    /// any.</returns>
    public Tensor Keep(Func<Tensor[], Tensor> forward, params Tensor[] inputs)
    {
        if (!inputs.Any(input => input.requires_grad))
        {
            return forward(inputs);
        }

        using var scope = NewDisposeScope();
        var result = WithoutGraph(forward, inputs).requires_grad_(true).DetachFromDisposeScope();
        _blocks.Push(new Block(forward, [.. inputs.Select(input => input.alias().DetachFromDisposeScope())], result));
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var block in _blocks)
        {
            block.Dispose();
        }

        _blocks.Clear();
    }

    private static Tensor WithoutGraph(Func<Tensor[], Tensor> forward, Tensor[] inputs)
    {
        using var frozen = no_grad();
        return forward(inputs).detach();
    }

    /// <param name="Forward">The block.</param>
    /// <param name="Inputs">What it ran on; gradients flow through them to the results of earlier blocks.</param>
    /// <param name="Result">What it gave, a leaf.</param>
    private sealed record Block(Func<Tensor[], Tensor> Forward, Tensor[] Inputs, Tensor Result) : IDisposable
    {
        public void Backward()
        {
            using var scope = NewDisposeScope();
            if (Result.grad is { } gradient)
            {
                autograd.backward([Forward(Inputs)], [gradient]);
            }
        }

        public void Dispose()
        {
            Array.ForEach(Inputs, input => input.Dispose());
            Result.Dispose();
        }
    }
}

/// <summary>Blocks as models run them; without checkpoints they just run.</summary>
internal static class ActivationCheckpointsExtensions
{
    /// <summary>
    /// Cuts the graph: what was computed before is gone through backward once, however many blocks use it. Inputs of
    /// blocks are such cuts or results of blocks.
    /// </summary>
    public static Tensor Cut(this ActivationCheckpoints? checkpoints, Tensor tensor) =>
        checkpoints?.Keep(inputs => inputs[0], tensor) ?? tensor;

    /// <summary>Runs a block of one input.</summary>
    public static Tensor Run(this ActivationCheckpoints? checkpoints, Func<Tensor, Tensor> block, Tensor a) =>
        checkpoints?.Keep(inputs => block(inputs[0]), Leaf(a)) ?? block(a);

    /// <summary>Runs a block of two inputs.</summary>
    public static Tensor Run(
        this ActivationCheckpoints? checkpoints,
        Func<Tensor, Tensor, Tensor> block,
        Tensor a,
        Tensor b
    ) => checkpoints?.Keep(inputs => block(inputs[0], inputs[1]), Leaf(a), Leaf(b)) ?? block(a, b);

    /// <summary>Runs a block of three inputs.</summary>
    public static Tensor Run(
        this ActivationCheckpoints? checkpoints,
        Func<Tensor, Tensor, Tensor, Tensor> block,
        Tensor a,
        Tensor b,
        Tensor c
    ) =>
        checkpoints?.Keep(inputs => block(inputs[0], inputs[1], inputs[2]), Leaf(a), Leaf(b), Leaf(c))
        ?? block(a, b, c);

    private static Tensor Leaf(Tensor input) =>
        input.is_leaf || !input.requires_grad
            ? input
            : throw new ArgumentException(
                "An input of a block is neither a block's result nor cut off from its graph, which each block would go through again.",
                nameof(input)
            );
}
