using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Tests.Models;
using Dti.Engine.Tests.Runtime;
using Dti.Engine.Training;

namespace Dti.Engine.Tests.Training;

[Collection(nameof(WholeProcess))]
public class TrainerMemoryTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Fact]
    public void Run_TwoHundredSteps_KeepsNoTensorAndStaysWithinFourMebibytes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        var model = models.Model("tiny-sd15");
        var settings = TrainingSettings.Resolve(
            new TrainingOptions
            {
                Steps = 200,
                BatchSize = 1,
                Resolution = 64,
                PreviewEvery = 0,
                Initializer = "dog",
                CenterCrop = true,
            }, // all latents are cached soon
            "x",
            model.Profile,
            () => 1
        );
        var (atStart, tensors) = (0L, 0L);
        foreach (
            var happened in new Trainer(model, settings, NoisePhotos.Load()).Run(TestContext.Current.CancellationToken)
        )
        {
            // By then the garbage collector's heap has the size that it keeps.
            if (happened is TrainingStep { Step: 100 })
            {
                (atStart, tensors) = (ResidentBytes(), LiveTensors.OfThisThread);
            }

            if (happened is TrainingStep { Step: 200 })
            {
                Assert.Equal(tensors, LiveTensors.OfThisThread);
            }
        }

        var growth = ResidentBytes() - atStart;
        TestContext.Current.TestOutputHelper?.WriteLine($"grew by {growth / 1024.0 / 1024.0:F1} MiB");
        Assert.True(growth < 4 * 1024 * 1024, $"grew by {growth} bytes");
    }

    [Fact]
    public void Run_WithActivationCheckpoints_KeepsNoTensor()
    {
        var resident = models.Model("tiny-sd15");
        using var model = StableDiffusionModel.Load(
            resident.Profile,
            resident.Target,
            MemoryPolicy.Low with
            {
                OffloadIdle = false,
            }
        );
        var settings = TrainingSettings.Resolve(
            new TrainingOptions
            {
                Steps = 4,
                BatchSize = 3,
                Resolution = 64,
                PreviewEvery = 0,
                Initializer = "dog",
                CenterCrop = true,
                RandomFlip = false,
            },
            "x",
            model.Profile,
            () => 1
        );

        // The first step encodes all three photos, and keeps that.
        var counts = new Trainer(model, settings, NoisePhotos.Load())
            .Run(TestContext.Current.CancellationToken)
            .OfType<TrainingStep>()
            .Select(_ => LiveTensors.OfThisThread)
            .ToArray();

        Assert.All(counts, count => Assert.Equal(counts[0], count));
    }

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var line = File.ReadLines("/proc/self/status")
            .Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], null) * 1024;
    }
}
