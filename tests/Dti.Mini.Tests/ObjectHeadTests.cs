using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Tests;

public class ObjectHeadTests
{
    private const int Channels = 64;
    private readonly ObjectLabels _labels = new([.. Enumerable.Range(0, 4).Select(i => Scene.Sample(1, i))], 16);

    [Fact]
    public void Loss_FeaturesThatAreLearnt_ReadsTheObjects()
    {
        using var scope = NewDisposeScope();
        var head = Head();
        using var generator = new Generator(1, CPU);
        var features = nn.Parameter(randn([4, Channels, 16, 16], generator: generator) * 0.1);
        var optimizer = optim.AdamW([features], lr: 0.5);
        for (var step = 0; step < 200; step++)
        {
            optimizer.zero_grad();
            head.Loss(features.to(Precision.Compute), _labels).Loss.backward();
            optimizer.step();
        }

        var reading = head.Loss(features.to(Precision.Compute), _labels);
        Assert.True(reading.Kinds > 0.9, $"{reading.Kinds}");
        Assert.True(reading.Loss.item<float>() < 2.5, $"{reading.Loss.item<float>()}");
    }

    [Fact]
    public void Loss_WeightsOfPictures_LeaveOutThoseOfNone()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var features = randn([4, Channels, 16, 16], generator: generator).requires_grad_(true);

        Head().Loss(features.to(Precision.Compute), _labels, tensor(new[] { 1f, 0, 1, 0 })).Loss.backward();

        var reached = features.grad!.abs().sum([1, 2, 3]).gt(0).data<bool>().ToArray();
        Assert.Equal([true, false, true, false], reached);
    }

    private static ObjectHead Head()
    {
        var weights = new FreshWeights(100_000, seed: 1, (_, shape) => shape.Length == 1 ? Start.Zero : Start.FanIn);
        return new ObjectHead(Channels, new WeightScope(weights));
    }
}
