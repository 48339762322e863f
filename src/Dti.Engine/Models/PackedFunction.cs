using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>A packed layer in autograd's graph. It keeps nothing of its input but the shape: frozen weights take no gradient.</summary>
internal sealed class PackedFunction : autograd.SingleTensorFunction<PackedFunction>
{
    private const string Weight = "weight";
    private const string InputShape = "shape";

    /// <summary>
    /// What the last node gave. The engine takes its own reference after the call, so this one may go when the next node is called, rather
    /// than at the end of the step, when the gradients of all layers would be there.
    /// </summary>
    [ThreadStatic]
    private static Tensor? _given;

    /// <inheritdoc/>
    public override string Name => nameof(PackedFunction);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, weight) = ((Tensor)vars[0], (PackedWeight)vars[1]);
        ctx.save_data(Weight, weight);
        ctx.save_data(InputShape, x.shape);
        return weight.Compute(x);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using (grad_output)
        {
            var gradient = ((PackedWeight)ctx.get_data(Weight)).Gradient(grad_output, (long[])ctx.get_data(InputShape));
            _given?.Dispose();
            _given = gradient;
            return [gradient, null!]; // one for each argument of forward
        }
    }
}
