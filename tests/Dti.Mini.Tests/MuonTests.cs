using Dti.Mini.Training;
using static TorchSharp.torch;

namespace Dti.Mini.Tests;

public sealed class MuonTests
{
    [Theory]
    [InlineData(24, 60)]
    [InlineData(60, 24)]
    public void Step_MatrixOfVeryUnequalDirections_MakesThemNearlyEqual(long rows, long columns)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var (u, _, vh) = linalg.svd(randn([rows, columns], generator: generator), fullMatrices: false);
        var unequal = (u * logspace(0, -1.5, 24)).matmul(vh);

        var values = linalg.svdvals(Muon.Step(unequal)) / (0.2 * Math.Sqrt(60));

        Assert.InRange(values.min().item<float>(), 0.5, 1.3);
        Assert.InRange(values.max().item<float>(), 0.5, 1.3);
    }

    [Fact]
    public void Step_Kernel_KeepsItsShapeAndDirectionOfDescent()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4, CPU);
        var gradient = randn([8, 4, 3, 3], generator: generator);

        var step = Muon.Step(gradient);

        Assert.Equal(gradient.shape, step.shape);
        Assert.True((step * gradient).sum().item<float>() > 0);
    }

    [Fact]
    public void Step_ScaleOfTheGradient_DoesNotMatter()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5, CPU);
        var gradient = randn([8, 16], generator: generator);

        Assert.True((Muon.Step(gradient * 1024) - Muon.Step(gradient)).abs().max().item<float>() < 0.02);
    }

    [Theory]
    [InlineData("down_blocks.0.resnets.0.conv1.weight", true, 64L, 64L, 3L, 3L)]
    [InlineData("mid_block.attentions.0.norm.weight", false, 96L)]
    [InlineData("conv_in.weight", false, 64L, 8L, 3L, 3L)]
    [InlineData("time_embedding.linear_1.weight", false, 256L, 64L)]
    public void Takes_Name_IsForMatricesBetweenHiddenFeatures(string name, bool expected, params long[] shape) =>
        Assert.Equal(expected, Muon.Takes(name, shape));
}
