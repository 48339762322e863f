using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>
/// Between autograd's graph and the nodes that this engine adds to it. libtorch calls the nodes of a backward pass on
/// the thread that asked for it, and passes them nothing, so the state of the pass is that thread's.
/// </summary>
internal static class AutogradBridge
{
    [ThreadStatic]
    private static Tensor[]? _returned;

    [ThreadStatic]
    private static Exception? _failure;

    /// <summary>
    /// Runs a backward pass. The exception of a node cannot pass through libtorch, where it would end the process: it
    /// is kept, and thrown here.
    /// </summary>
    public static T Run<T>(Func<T> backward)
    {
        _failure = null;
        try
        {
            var result = backward();
            Throw();
            return result;
        }
        catch
        {
            Throw(); // of which libtorch's own error may be a consequence
            throw;
        }
        finally
        {
            Release();
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
    public static List<Tensor> Return(Func<Tensor[]> gradients, ScalarType dtype, long[][] shapes, int otherArguments)
    {
        Release();
        try
        {
            _returned = _failure is null ? gradients() : null;
        }
        catch (Exception failure)
        {
            _failure = failure;
        }

        _returned ??= [.. shapes.Select(shape => zeros(shape, dtype))];
        return [.. _returned, .. new Tensor[otherArguments]];
    }

    private static void Release()
    {
        Array.ForEach(_returned ?? [], gradient => gradient.Dispose());
        _returned = null;
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
