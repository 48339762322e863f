using Dti.Engine.Runtime.Devices;
using Dti.Engine.Runtime.Kernels;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Bench.Speed;

/// <summary>
/// An operation by its shapes: a convolution, a linear layer or attention. Equal shapes are the same kernel.
/// </summary>
/// <param name="Op"><c>conv</c>, <c>linear</c> or <c>attention</c>.</param>
/// <param name="X">Of the input, or of the queries (B, heads, L, d).</param>
/// <param name="W">Of the weight, or of the keys.</param>
/// <param name="Stride">Of a convolution.</param>
/// <param name="Padding">Of a convolution.</param>
/// <param name="Causal">Of attention.</param>
/// <param name="Backward">Its gradient with respect to the input is taken too.</param>
internal sealed record Kernel(
    string Op,
    string X,
    string W,
    long Stride = 1,
    long Padding = 0,
    bool Causal = false,
    bool Backward = false
)
{
    /// <summary>Multiplications and additions, forward.</summary>
    public double Flops
    {
        get
        {
            var (x, w) = (Shape(X), Shape(W));
            return Op switch
            {
                "conv" => 2.0
                    * x[0]
                    * w.Aggregate(1L, (product, side) => product * side)
                    * ((x[2] + (2 * Padding) - w[2]) / Stride + 1)
                    * ((x[3] + (2 * Padding) - w[3]) / Stride + 1),
                "linear" => 2.0 * x.Aggregate(1L, (product, side) => product * side) * w[0],
                _ => 4.0 * x[0] * x[1] * x[2] * w[2] * x[3],
            };
        }
    }

    /// <summary>How a kernel can be computed.</summary>
    internal enum Way
    {
        /// <summary>libtorch's call, tensors as they come.</summary>
        Plain,

        /// <summary>libtorch's call, input and weight channels-last.</summary>
        ChannelsLast,

        /// <summary>oneDNN's, the weight packed beforehand; attention in blocks.</summary>
        Packed,
    }

    /// <summary>
    /// Seconds of the fastest way, on tensors that are there already, the weight laid out as it wants it.
    /// </summary>
    public (double Forward, double Backward) Time(ComputeTarget target, int repeats)
    {
        using var scope = NewDisposeScope();
        var times = Ways(target).Select(way => Run(target, repeats, way)).ToArray();
        return (times.Min(time => time.Forward), times.Min(time => time.Backward));
    }

    /// <summary>The ways that there are for it here.</summary>
    public IEnumerable<Way> Ways(ComputeTarget target)
    {
        yield return Way.Plain;
        if (Op == "conv")
        {
            yield return Way.ChannelsLast;
        }

        if (
            target.CanPackWeights
            && !(Op == "attention" && (Causal || (Backward && target.Dtype == ScalarType.Float32)))
        )
        {
            yield return Way.Packed;
        }
    }

    /// <summary>Seconds in one way, the least of all repeats.</summary>
    public (double Forward, double Backward) Run(ComputeTarget target, int repeats, Way way)
    {
        using var scope = NewDisposeScope();
        Tensor Random(string shape) => (randn(Shape(shape)) * 0.05).to(target.Dtype, target.Device);
        Tensor Laid(Tensor tensor) =>
            Op == "conv" && way != Way.Plain ? tensor.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : tensor;
        var (x, w) = (Laid(Random(X)), Laid(Random(W)));
        x = Backward ? x.detach().requires_grad_(true) : x;
        using var frozen = Backward ? null : no_grad();
        var (forward, packed) = Computation(w, way);
        using var owned = packed;
        double there = double.MaxValue,
            back = double.MaxValue;
        for (var i = 0; i <= repeats; i++) // the first one warms up
        {
            using var inner = NewDisposeScope();
            var began = Clock.Current.Now();
            var y = forward(x);
            var done = (Clock.Current.Now() - began).TotalSeconds;
            var gradient = Backward ? ones_like(y) : null;
            began = Clock.Current.Now();
            if (Backward)
            {
                autograd.grad([y], [x], [gradient!]);
            }

            if (i > 0)
            {
                (there, back) = (Math.Min(there, done), Math.Min(back, (Clock.Current.Now() - began).TotalSeconds));
            }
        }

        return (there, Backward ? back : 0);
    }

    private (Func<Tensor, Tensor> Forward, PackedWeight? Packed) Computation(Tensor w, Way way)
    {
        if (Op == "attention")
        {
            var heads = Shape(X)[1];
            Tensor Joined(Tensor split) => split.transpose(1, 2).flatten(2);
            return way == Way.Packed
                ? (q => BlockedAttention.Attend(Joined(q), Joined(w), Joined(w), heads), null)
                : (q => F.scaled_dot_product_attention(q, w, w, is_casual: Causal), null);
        }

        if (way != Way.Packed)
        {
            return (
                x => Op == "conv" ? F.conv2d(x, w, null, [Stride, Stride], [Padding, Padding]) : F.linear(x, w),
                null
            );
        }

        if (Op == "conv" && Shape(W)[2] > 1)
        {
            var convolution = new PackedConvolution(w, null, Stride, Padding) { KeepsTransposed = true };
            return (convolution.Forward, convolution);
        }

        var linear = new PackedLinear(w.flatten(1), null) { KeepsTransposed = true };
        return (Op == "conv" ? x => linear.Forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2) : linear.Forward, linear);
    }

    public static string Text(params long[] shape) => string.Join('x', shape);

    private static long[] Shape(string text) => Array.ConvertAll(text.Split('x'), long.Parse);
}
