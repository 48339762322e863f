using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Bench.Speed;

/// <summary>An operation by its shapes: a convolution, a linear layer or attention. Equal shapes are the same kernel.</summary>
/// <param name="Op"><c>conv</c>, <c>linear</c> or <c>attention</c>.</param>
/// <param name="X">Of the input, or of the queries (B, heads, L, d).</param>
/// <param name="W">Of the weight, or of the keys.</param>
/// <param name="Stride">Of a convolution.</param>
/// <param name="Padding">Of a convolution.</param>
/// <param name="Causal">Of attention.</param>
/// <param name="Backward">Its gradient with respect to the input is taken too.</param>
internal sealed record Kernel(string Op, string X, string W, long Stride = 1, long Padding = 0, bool Causal = false, bool Backward = false)
{
    /// <summary>Multiplications and additions, forward.</summary>
    public double Flops
    {
        get
        {
            var (x, w) = (Shape(X), Shape(W));
            return Op switch
            {
                "conv" => 2.0 * x[0] * w.Aggregate(1L, (product, side) => product * side) * ((x[2] + (2 * Padding) - w[2]) / Stride + 1) * ((x[3] + (2 * Padding) - w[3]) / Stride + 1),
                "linear" => 2.0 * x.Aggregate(1L, (product, side) => product * side) * w[0],
                _ => 4.0 * x[0] * x[1] * x[2] * w[2] * x[3],
            };
        }
    }

    /// <summary>Seconds that the library's own kernel takes, on tensors that are there already: the least over memory layouts.</summary>
    public (double Forward, double Backward) Time(ScalarType dtype, int repeats)
    {
        using var scope = NewDisposeScope();
        var times = Op == "conv" ? [Run(dtype, repeats, channelsLast: false), Run(dtype, repeats, channelsLast: true)] : new[] { Run(dtype, repeats, channelsLast: false) };
        return (times.Min(time => time.Forward), times.Min(time => time.Backward));
    }

    /// <summary>Seconds in one layout.</summary>
    public (double Forward, double Backward) Run(ScalarType dtype, int repeats, bool channelsLast)
    {
        using var scope = NewDisposeScope();
        Tensor Random(string shape) => (randn(Shape(shape)) * 0.05).to(dtype);
        Tensor Laid(Tensor tensor) => channelsLast ? tensor.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : tensor;
        var (x, w) = (Laid(Random(X)), Laid(Random(W)));
        x = Backward ? x.detach().requires_grad_(true) : x;
        var v = Op == "attention" ? Random(W) : null;
        using var frozen = Backward ? null : no_grad();
        double forward = double.MaxValue, backward = 0;
        for (var i = 0; i <= repeats; i++) // the first one warms up
        {
            using var inner = NewDisposeScope();
            var began = Clock.Current.Now();
            var y = Op switch
            {
                "conv" => F.conv2d(x, w, null, [Stride, Stride], [Padding, Padding]),
                "linear" => F.linear(x, w),
                _ => F.scaled_dot_product_attention(x, w, v!, is_casual: Causal),
            };
            var middle = Clock.Current.Now();
            var done = (middle - began).TotalSeconds;
            if (Backward)
            {
                var gradient = ones_like(y);
                middle = Clock.Current.Now();
                autograd.grad([y], [x], [gradient]);
            }

            if (i > 0)
            {
                var taken = (Clock.Current.Now() - middle).TotalSeconds;
                (forward, backward) = (Math.Min(forward, done), i == 1 ? taken : Math.Min(backward, taken));
            }
        }

        return (forward, Backward ? backward : 0);
    }

    public static string Text(params long[] shape) => string.Join('x', shape);

    private static long[] Shape(string text) => Array.ConvertAll(text.Split('x'), long.Parse);
}
