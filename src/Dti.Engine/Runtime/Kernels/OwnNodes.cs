using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>What the nodes that we put into autograd's graph have in common. Each thread has its own.</summary>
internal static class OwnNodes
{
    [ThreadStatic]
    private static Tensor[]? _given;

    [ThreadStatic]
    private static Exception? _failure;

    /// <summary>
    /// Runs what takes gradients. A node's error cannot pass through libtorch, where it would end the process: it is
    /// kept, and thrown here.
    /// </summary>
    public static T Guard<T>(Func<T> takeGradients)
    {
        _failure = null;
        try
        {
            var result = takeGradients();
            Throw();
            return result;
        }
        catch
        {
            Throw(); // of which libtorch's own error may be a consequence
            throw;
        }
    }

    /// <summary>
    /// What a node's <c>backward</c> returns. libtorch takes its own references after the call, so the gradients may go
    /// when the next node is called, rather than at the end of the step, when those of all layers would be there. After
    /// an error they are zeros.
    /// </summary>
    /// <param name="gradients">Computes one for each tensor that the node takes.</param>
    /// <param name="dtype">Of each.</param>
    /// <param name="shapes">Of each.</param>
    /// <param name="otherArguments">How many the node takes after them.</param>
    public static List<Tensor> Give(Func<Tensor[]> gradients, ScalarType dtype, long[][] shapes, int otherArguments)
    {
        Array.ForEach(_given ?? [], gradient => gradient.Dispose());
        _given = null;
        try
        {
            _given = _failure is null ? gradients() : null;
        }
        catch (Exception failure)
        {
            _failure = failure;
        }

        _given ??= [.. shapes.Select(shape => zeros(shape, dtype))];
        return [.. _given, .. new Tensor[otherArguments]];
    }

    private static void Throw()
    {
        if (_failure is { } failure)
        {
            _failure = null;
            ExceptionDispatchInfo.Throw(failure);
        }
    }
}
