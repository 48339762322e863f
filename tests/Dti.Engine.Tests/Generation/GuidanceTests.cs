using Dti.Engine.Generation;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Generation;

public class GuidanceTests
{
    [Fact]
    public void Rescale_GuidedPrediction_GetsTheSpreadOfTheUnguidedOne()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var cond = randn([1, 4, 8, 8], generator: generator);
        var guided = 5 * randn([1, 4, 8, 8], generator: generator);

        var (whole, half) = (TextToImage.Rescale(guided, cond, 1), TextToImage.Rescale(guided, cond, 0.5));

        Assert.Equal(cond.std().item<float>(), whole.std().item<float>(), 1e-5);
        Assert.True((half - ((whole + guided) / 2)).abs().max().item<float>() < 1e-6);
        Assert.Same(guided, TextToImage.Rescale(guided, cond, 0));
    }
}
