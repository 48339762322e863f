using System.Diagnostics;
using System.Text.Json;
using Dti.Engine.Schedulers;
using Dti.Engine.Training;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Runtime;

/// <summary>
/// TorchSharp hands a scalar's native pointer on without keeping the scalar alive. A collection by another thread then
/// freed it while libtorch read it: a step failed with "Expected false to be true". The build mends TorchSharp
/// (eng/PatchTorchSharp.cs); without that, one in some hundreds of the large additions below fails.
/// </summary>
[Collection(nameof(WholeProcess))]
public class CollectionRaceTests
{
    [Fact]
    public void Steps_WhileAnotherThreadCollects_GiveWhatTheyGiveAlone()
    {
        using var scope = NewDisposeScope();
        var expected = Train();
        // libtorch makes numbers of one kind of these before it reads the factor 1, a scalar of TorchSharp's own: that
        // takes long enough to collect in between.
        var (whole, part) = (ones(1 << 16, ScalarType.Int64), ones(1 << 16) * 3);
        using var over = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!over.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(2); )
            {
                using var round = NewDisposeScope();
                Assert.Equal(expected, Train());
                for (var i = 0; i < 500; i++)
                {
                    Assert.Equal(4, (whole + part)[5].item<float>());
                }
            }
        }
        finally
        {
            over.Cancel();
            collector.Join();
        }
    }

    /// <summary>
    /// 50 steps of the optimiser and 10 of a sampler: their scalars are made in TorchSharp and here, by operators, by
    /// names and in place.
    /// </summary>
    private static float[] Train()
    {
        using var scope = NewDisposeScope();
        var v = eye(2, 16);
        using var optimizer = new SphericalSgd(v, 0.01, 0.9, new VonMisesFisherPrior(eye(2, 16), 1e-3));
        for (var step = 0; step < 50; step++)
        {
            optimizer.Step((v * 0.5).add_(ones_like(v), alpha: 0.25) - 1);
        }

        using var scheduler = SchedulerFactory.Create(
            "ddim",
            SchedulerConfig.Parse(JsonSerializer.SerializeToElement(new { })),
            10
        );
        var sample = v.view(1, 1, 2, 16);
        for (var call = 0; call < scheduler.Timesteps.Count; call++)
        {
            sample = scheduler.Step(sample.pow(2).clamp(0, 1), call, sample, () =>
                throw new InvalidOperationException()
            );
        }

        return sample.data<float>().ToArray();
    }
}
