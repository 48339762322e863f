using Dti.Engine.Models;
using Dti.Engine.Runtime;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Tests.Runtime;
using Dti.Engine.Weights;
using Dti.Tests;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Tests.Models;

public class PackedWeightTests
{
    public PackedWeightTests() => Assert.SkipUnless(OneDnn.IsAvailable, "this libtorch has no oneDNN");

    [Theory]
    [InlineData(ScalarType.Float32, 1e-5)]
    [InlineData(ScalarType.BFloat16, 2e-2)] // the sums are rounded once, in another order
    public void Forward_Linear_IsTheLayer(ScalarType dtype, double tolerance)
    {
        Assert.SkipUnless(OneDnn.Supports(dtype), "not on this processor");
        using var scope = NewDisposeScope();
        var (x, w, b) = (Random(dtype, 2, 7, 40), Random(dtype, 24, 40), Random(dtype, 24));

        AssertSame(x => F.linear(x, w, b), new PackedLinear(w, b), x, tolerance);
        AssertSame(x => F.linear(x, w), new PackedLinear(w, null) { KeepsTransposed = true }, x, tolerance);
    }

    [Theory]
    [InlineData(ScalarType.Float32, 3, 1, 1, 8, 8)]
    [InlineData(ScalarType.Float32, 3, 2, 1, 8, 8)]
    [InlineData(ScalarType.Float32, 3, 2, 1, 9, 7)] // odd: the last row is looked at
    [InlineData(ScalarType.Float32, 3, 2, 0, 8, 9)] // the last row of an even side is not
    [InlineData(ScalarType.Float32, 4, 4, 0, 12, 8)]
    [InlineData(ScalarType.BFloat16, 3, 1, 1, 8, 8)]
    [InlineData(ScalarType.BFloat16, 3, 2, 1, 9, 7)]
    public void Forward_Convolution_IsTheLayer(
        ScalarType dtype,
        long kernel,
        long stride,
        long padding,
        long height,
        long width
    )
    {
        Assert.SkipUnless(OneDnn.Supports(dtype), "not on this processor");
        using var scope = NewDisposeScope();
        var (x, w, b) = (Random(dtype, 2, 20, height, width), Random(dtype, 36, 20, kernel, kernel), Random(dtype, 36));

        foreach (var keeps in new[] { false, true })
        {
            AssertSame(
                x => F.conv2d(x, w, b, [stride, stride], [padding, padding]),
                new PackedConvolution(w, b, stride, padding) { KeepsTransposed = keeps },
                x,
                dtype == ScalarType.Float32 ? 1e-5 : 2e-2
            );
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Forward_ConvolutionOfPicturesOfOtherSides_IsTheLayerForEach(long stride)
    {
        using var scope = NewDisposeScope();
        var w = Random(ScalarType.Float32, 64, 48, 3, 3);
        using var packed = new PackedConvolution(w, null, stride, 1) { KeepsTransposed = true };
        foreach (var (height, width) in new (long, long)[] { (8, 8), (16, 12), (8, 8), (2, 3) })
        {
            var leaf = Random(ScalarType.Float32, 2, 48, height, width).requires_grad_(true);
            var (expected, actual) = (F.conv2d(leaf, w, null, [stride, stride], [1, 1]), packed.Forward(leaf));
            Golden.AssertClose(expected, actual, 1e-5, $"{height} × {width}");
            Golden.AssertClose(
                autograd.grad([expected.sum()], [leaf])[0],
                autograd.grad([actual.sum()], [leaf])[0],
                1e-5,
                $"its gradient, {height} × {width}"
            );
        }
    }

    [Fact]
    public void Gradient_TransposedKeptOrMadeAnew_IsTheSame()
    {
        using var scope = NewDisposeScope();
        var (w, g) = (Random(ScalarType.Float32, 24, 40), Random(ScalarType.Float32, 3, 24));
        using var keeping = new PackedLinear(w, null) { KeepsTransposed = true };
        using var frugal = new PackedLinear(w, null);

        var first = keeping.Gradient(g, [3, 40]);
        var second = keeping.Gradient(g, [3, 40]);
        keeping.ReleaseTransposed();

        Assert.True(first.equal(second).all().item<bool>());
        Assert.True(first.equal(keeping.Gradient(g, [3, 40])).all().item<bool>());
        AssertClose(first, frugal.Gradient(g, [3, 40]), 1e-5);
    }

    [Fact]
    public void Backward_ThroughManyLayers_KeepsNoTensorOnceTheStepIsOver()
    {
        using var scope = NewDisposeScope();
        using var layer = new PackedLinear(Random(ScalarType.Float32, 32, 32), null) { KeepsTransposed = true };
        var counts = new List<long>();
        for (var step = 0; step < 5; step++)
        {
            using (NewDisposeScope())
            {
                var leaf = Random(ScalarType.Float32, 4, 32).requires_grad_(true);
                var x = leaf.alias();
                for (var i = 0; i < 20; i++)
                {
                    x = layer.Forward(x);
                }

                x.sum().backward();
                Assert.NotNull(leaf.grad);
            }

            counts.Add(LiveTensors.OfThisThread);
        }

        Assert.All(counts, count => Assert.Equal(counts[0], count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Gradient_ConvolutionHeldInBFloat16_LeavesNoTensorButTheGradient(long kernel)
    {
        using var scope = NewDisposeScope();
        using var packing = new WeightPacking(keepsTransposed: false, ScalarType.Float32);
        var source = new OneWeight(Random(ScalarType.BFloat16, 8, 4, kernel, kernel));
        var layer = new Conv2d(new WeightScope(source), 4, 8, kernel, padding: kernel / 2, bias: false);
        using var held = layer.Pack(packing);
        var (gradient, input) =
            kernel == 1
                ? (Random(ScalarType.Float32, 1, 5, 5, 8), new long[] { 1, 5, 5, 4 }) // as a linear layer of the channels
                : (Random(ScalarType.Float32, 1, 8, 5, 5), [1, 4, 5, 5]);
        var before = LiveTensors.OfThisThread;

        var result = held.Gradient(gradient, input);

        Assert.Equal(input, result.shape);
        Assert.Equal(before + 1, LiveTensors.OfThisThread);
    }

    [Fact]
    public void Backward_GradientThatFails_ThrowsWhereItWasAskedFor()
    {
        using var scope = NewDisposeScope();
        using var layer = new WithoutWayBack(Random(ScalarType.Float32, 8, 8));
        var leaf = Random(ScalarType.Float32, 2, 8).requires_grad_(true);

        Tensor Gradient() => autograd.grad([layer.Forward(layer.Forward(leaf)).sum()], [leaf])[0];

        Assert.Equal("no way back", Assert.Throws<NotSupportedException>(() => AutogradBridge.Run(Gradient)).Message);
        Assert.Equal("no way back", Assert.Throws<NotSupportedException>(() => AutogradBridge.Run(Gradient)).Message);
    }

    [Fact]
    public void Run_WhenItEnds_KeepsNoGradientOfItsNodes()
    {
        using var scope = NewDisposeScope();
        using var layer = new Remembering(Random(ScalarType.Float32, 8, 8));
        var leaf = Random(ScalarType.Float32, 2, 8).requires_grad_(true);

        var gradient = AutogradBridge.Run(() => autograd.grad([layer.Forward(leaf).sum()], [leaf])[0]);

        Assert.True(layer.Last!.IsInvalid);
        Assert.Equal([2, 8], gradient.shape);
        Assert.True(gradient.isfinite().all().item<bool>());
    }

    [Fact]
    public void Pack_WithoutMemoryForIt_LeavesTheLayerAsItWas()
    {
        using var scope = NewDisposeScope();
        var weight = Random(ScalarType.Float32, 8, 8);
        using var layer = new PackedOnceThereIsMemory(weight);
        var x = Random(ScalarType.Float32, 2, 8);

        Assert.Throws<InvalidOperationException>(() => layer.Compute(x));

        AssertClose(x.matmul(weight), layer.Compute(x), 1e-6);
    }

    private static Tensor Random(ScalarType dtype, params long[] shape)
    {
        using var generator = new Generator(1);
        return randn(shape, generator: generator).to(dtype);
    }

    /// <summary>Result and gradient of the packed layer are the plain one's, to rounding.</summary>
    private static void AssertSame(Func<Tensor, Tensor> plain, PackedWeight packed, Tensor x, double tolerance)
    {
        using (packed)
        {
            var (one, other) = (x.clone().requires_grad_(true), x.clone().requires_grad_(true));
            var (expected, actual) = (plain(one), packed.Forward(other));
            var g = Random(expected.dtype, expected.shape);
            (expected * g).sum().backward();
            (actual * g).sum().backward();

            AssertClose(expected, actual, tolerance);
            AssertClose(one.grad!, other.grad!, tolerance);
            AssertClose(expected, packed.Compute(x), tolerance);
        }
    }

    private sealed class OneWeight(Tensor weight) : IWeightSource
    {
        public Tensor Take(string name, long[] shape) => weight;

        public bool Contains(string name) => name == "weight";
    }

    private sealed class WithoutWayBack(Tensor weight) : FrozenWeight
    {
        public override Tensor Compute(Tensor x) => x.matmul(weight);

        public override Tensor Gradient(Tensor gradient, long[] inputShape) =>
            throw new NotSupportedException("no way back");

        public override void ReleaseTransposed() { }

        public override void Dispose() { }
    }

    private sealed class Remembering(Tensor weight) : FrozenWeight
    {
        public Tensor? Last { get; private set; }

        public override Tensor Compute(Tensor x) => x.matmul(weight);

        public override Tensor Gradient(Tensor gradient, long[] inputShape) => Last = gradient.matmul(weight.t());

        public override void ReleaseTransposed() { }

        public override void Dispose() { }
    }

    private sealed class PackedOnceThereIsMemory(Tensor weight) : PackedWeight(weight, null)
    {
        private bool _isTried;

        protected override StepWork Work => StepWork.Linear;

        public override Tensor Compute(Tensor x)
        {
            if (!_isTried)
            {
                _isTried = true;
                Pack(_ => throw new InvalidOperationException());
            }

            return x.matmul(Weight);
        }

        protected override PackedWeight? Transpose(Tensor plain) => null;

        protected override Tensor Gradient(Tensor gradient, long[] inputShape, Tensor plain) => gradient.matmul(plain);
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.Equal(expected.dtype, actual.dtype);
        var difference = (expected - actual).abs().max() / expected.abs().max();
        Assert.InRange(difference.to(ScalarType.Float32).item<float>(), 0, tolerance);
    }
}
