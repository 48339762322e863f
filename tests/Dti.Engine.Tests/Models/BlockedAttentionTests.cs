using Dti.Engine.Runtime.Kernels;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Tests.Models;

public class BlockedAttentionTests
{
    [Theory]
    [InlineData(ScalarType.Float32, 2, 40, 40, 3, 8, 1e-5)]
    [InlineData(ScalarType.Float32, 1, 2500, 2500, 1, 16, 1e-5)] // more than a block, and the last one smaller
    [InlineData(ScalarType.Float32, 1, 2500, 7, 1, 16, 1e-5)]
    [InlineData(ScalarType.BFloat16, 2, 40, 7, 3, 8, 2e-2)]
    [InlineData(ScalarType.BFloat16, 2, 1500, 1500, 2, 8, 2e-2)]
    public void Attend_AnyShape_IsSoftmaxOfScoresTimesValues(
        ScalarType dtype,
        long batch,
        long length,
        long sources,
        long heads,
        long width,
        double tolerance
    )
    {
        Assert.SkipUnless(OneDnn.Supports(dtype), "not on this processor");
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        Tensor Random(long rows) => randn([batch, rows, heads * width], generator: generator).to(dtype);
        Tensor Heads(Tensor x) => x.to(ScalarType.Float64).unflatten(2, heads, width).transpose(1, 2);
        var (q, k, v) = (Random(length), Random(sources), Random(sources));

        var actual = BlockedAttention.Attend(q, k, v, heads);

        var expected = matmul(F.softmax(matmul(Heads(q), Heads(k).transpose(2, 3)) / Math.Sqrt(width), -1), Heads(v))
            .transpose(1, 2)
            .flatten(2);
        Assert.Equal(dtype, actual.dtype);
        Assert.Equal(expected.shape, actual.shape);
        Assert.InRange((actual.to(ScalarType.Float64) - expected).abs().max().item<double>(), 0, tolerance);
    }

    [Theory]
    [InlineData(2, 40, 7, 3, 8)]
    [InlineData(1, 1500, 1500, 2, 8)] // several blocks
    public void Attend_GraphWanted_GradientsAreThoseOfSoftmaxOfScores(
        long batch,
        long length,
        long sources,
        long heads,
        long width
    )
    {
        Assert.SkipUnless(OneDnn.Supports(ScalarType.BFloat16), "not on this processor");
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        Tensor Random(long rows) => randn([batch, rows, heads * width], generator: generator).to(ScalarType.BFloat16);
        Tensor Exact(Tensor x) => x.to(ScalarType.Float64).detach().requires_grad_(true);
        Tensor Heads(Tensor x) => x.unflatten(2, heads, width).transpose(1, 2);
        Tensor[] inputs =
        [
            Random(length).requires_grad_(true),
            Random(sources).requires_grad_(true),
            Random(sources).requires_grad_(true),
        ];
        Tensor[] exact = [.. inputs.Select(Exact)];
        var g = Random(length);

        var actual = autograd.grad([BlockedAttention.Attend(inputs[0], inputs[1], inputs[2], heads)], inputs, [g]);

        var weights = F.softmax(matmul(Heads(exact[0]), Heads(exact[1]).transpose(2, 3)) / Math.Sqrt(width), -1);
        var expected = autograd.grad(
            [matmul(weights, Heads(exact[2])).transpose(1, 2).flatten(2)],
            exact,
            [g.to(ScalarType.Float64)]
        );
        foreach (var (one, other) in expected.Zip(actual))
        {
            Assert.Equal(ScalarType.BFloat16, other.dtype);
            Assert.InRange(((other.to(ScalarType.Float64) - one).norm() / one.norm()).item<double>(), 0, 0.01);
        }
    }

    [Fact]
    public void Pays_GraphWantedInFp32OrNotAllOfAvx512_IsLeftToLibtorch()
    {
        Assert.SkipUnless(OneDnn.IsAvailable, "this libtorch has no oneDNN");
        using var scope = NewDisposeScope();
        var (fixedOne, learnt) = (zeros(1, 1024, 8), zeros(1, 1024, 8).requires_grad_(true));

        Assert.Equal(Processor.HasWholeAvx512, BlockedAttention.IsBeneficial(fixedOne, fixedOne, fixedOne));
        Assert.False(BlockedAttention.IsBeneficial(fixedOne, learnt, fixedOne));
        using var frozen = no_grad();
        Assert.Equal(Processor.HasWholeAvx512, BlockedAttention.IsBeneficial(fixedOne, learnt, fixedOne));
    }
}
