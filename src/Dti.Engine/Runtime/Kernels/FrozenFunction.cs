using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>
/// A frozen layer in autograd's graph. It keeps nothing of its input but the shape: frozen weights take no gradient.
/// </summary>
internal sealed class FrozenFunction : autograd.SingleTensorFunction<FrozenFunction>
{
    private const string Weight = "weight";
    private const string InputShape = "shape";

    /// <inheritdoc/>
    public override string Name => nameof(FrozenFunction);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, weight) = ((Tensor)vars[0], (FrozenWeight)vars[1]);
        ctx.save_data(Weight, weight);
        ctx.save_data(InputShape, x.shape);
        return weight.Compute(x);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using (grad_output)
        {
            var shape = (long[])ctx.get_data(InputShape);
            return AutogradBridge.Return(
                () => [((FrozenWeight)ctx.get_data(Weight)).Gradient(grad_output, shape)],
                grad_output.dtype,
                [shape],
                otherArguments: 1
            );
        }
    }
}
