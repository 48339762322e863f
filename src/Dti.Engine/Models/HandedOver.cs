using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// Gradients that nodes of ours gave to autograd. It takes its own reference after the call, so these may go when the next node is called,
/// rather than at the end of the step, when the gradients of all layers would be there.
/// </summary>
internal static class HandedOver
{
    [ThreadStatic]
    private static Tensor[]? _last;

    /// <summary>What a node's <c>backward</c> returns: a gradient for each tensor that it takes, and nothing for the arguments after them.</summary>
    public static List<Tensor> Give(Tensor[] gradients, int otherArguments = 0)
    {
        Array.ForEach(_last ?? [], gradient => gradient.Dispose());
        _last = gradients;
        return [.. gradients, .. Enumerable.Repeat<Tensor>(null!, otherArguments)];
    }
}
