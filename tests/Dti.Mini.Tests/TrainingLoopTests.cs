using Dti.Engine.Checkpoints;
using Dti.Engine.Weights;
using Dti.Mini.Training;
using static TorchSharp.torch;

namespace Dti.Mini.Tests;

public sealed class TrainingLoopTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-mini-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Run_KilledAndResumed_EndsWhereAnUnbrokenRunEnds()
    {
        var whole = Train("whole", stopAfter: int.MaxValue);

        Assert.Throws<AggregateException>(() => Train("broken", stopAfter: 125));
        var resumed = Train("broken", stopAfter: int.MaxValue);

        Assert.Equal(whole, resumed);
    }

    [Fact]
    public void Run_Regression_Learns()
    {
        var learnt = Train("learns", stopAfter: int.MaxValue);
        Assert.Equal(2, learnt[0], 0.1);
        Assert.Equal(-1, learnt[1], 0.1);
    }

    [Fact]
    public void Start_FinishedComponent_StartsAtItsValues()
    {
        var file = Path.Combine(_folder.FullName, "finished.safetensors");
        SafetensorsWriter.Write(
            file,
            new Dictionary<string, Tensor> { ["weight"] = tensor(new[] { 3f, 4f }, [1, 2]).to(ScalarType.Float16) }
        );
        var weights = new FreshWeights(64, seed: 1, (_, _) => Start.One);

        var loop = new TrainingLoop<(Tensor, Tensor)>(
            _folder.FullName,
            "again",
            new LoopSettings(1, 0.05, 5, 0, 0.9),
            weights,
            () => (new WeightScope(weights).Take("weight", 1, 2), new WeightScope(weights).Take("head.weight", 1)),
            threads: 1,
            start: fresh => fresh.Read(file, apart: "head.")
        );

        Assert.Equal([3f, 4f], loop.Averaged["weight"].data<float>().ToArray());
        Assert.Equal([3f, 4f], weights.Leaves[0].to(ScalarType.Float32).data<float>().ToArray());
        Assert.Equal([1f], loop.Averaged["head.weight"].data<float>().ToArray());
    }

    /// <summary>Fits y = 2a − b; a step's data follow from its number.</summary>
    private float[] Train(string name, int stopAfter)
    {
        var weights = new FreshWeights(64, seed: 1, (_, _) => Start.FanIn);
        var loop = new TrainingLoop<Tensor>(
            _folder.FullName,
            name,
            new LoopSettings(300, 0.05, 5, 0, 0.9),
            weights,
            () => new WeightScope(weights).Take("weight", 1, 2),
            threads: 2,
            saveEvery: 20
        );
        loop.Run(
            (weight, step, replica) =>
            {
                if (step > stopAfter)
                {
                    throw new OperationCanceledException();
                }

                using var generator = new Generator((ulong)((step * 2) + replica), CPU);
                var x = randn([32, 2], generator: generator);
                var y = (2 * x.narrow(1, 0, 1)) - x.narrow(1, 1, 1);
                return ((x.matmul(weight.to(ScalarType.Float32).t()) - y).square().mean(), []);
            },
            100,
            _ => []
        );
        return loop.Averaged["weight"].data<float>().ToArray();
    }
}
