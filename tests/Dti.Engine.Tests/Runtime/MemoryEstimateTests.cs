using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Planning;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;
using Dti.Tests;

namespace Dti.Engine.Tests.Runtime;

/// <summary>
/// How estimates go with what is asked; how near they are to what was measured is in bench/estimates.md.
/// </summary>
public class MemoryEstimateTests
{
    private static readonly ComputeTarget _fp32 = ComputeTarget.Resolve("cpu", "fp32");
    private static readonly ComputeTarget _bf16 = new(TorchSharp.torch.CPU, TorchSharp.torch.ScalarType.BFloat16);
    private static readonly ModelProfile _profile = ModelFamilies.BuiltIn.Read(
        Path.Combine(Fixtures.Root, "tiny-sd15")
    );

    [Fact]
    public void OfTraining_TwiceTheBatch_AddsAsMuchAgain()
    {
        var (one, two, four) = (Train(8, 256), Train(16, 256), Train(32, 256));
        Assert.True(one < two);
        Assert.InRange((double)(four - two) / (two - one), 1.9, 2.1);
    }

    [Fact]
    public void OfTraining_CheckpointedActivations_TakesLess() =>
        Assert.True(Train(32, 256, MemoryPolicy.Low) < Train(32, 256) / 1.5);

    [Fact]
    public void OfTraining_PreviewsLargerThanTheStep_CountsThem() =>
        Assert.True(Train(1, 512, previewEvery: 1) > Train(1, 512));

    [Fact]
    public void OfGeneration_TwiceTheSides_TakesNearlyFourTimesAsMuch() =>
        Assert.InRange((double)(Draw(2048) - Draw(1024)) / (Draw(1024) - Draw(512)), 3.8, 4.2);

    [Fact]
    public void OfGeneration_Bf16_TakesHalf() =>
        Assert.InRange((double)(Draw(2048) - Draw(1024)) / (Draw(2048, _bf16) - Draw(1024, _bf16)), 1.7, 2.1);

    [Fact]
    public void OfGeneration_Tiles_TakesLess() => Assert.True(Draw(2048, policy: MemoryPolicy.Low) < Draw(2048) / 2);

    private static long Train(int batch, int side, MemoryPolicy? policy = null, int previewEvery = 0) =>
        MemoryEstimate.OfTraining(
            _profile,
            _fp32,
            policy ?? MemoryPolicy.High,
            TrainingSettings.Resolve(
                new TrainingOptions
                {
                    BatchSize = batch,
                    Resolution = side,
                    PreviewEvery = previewEvery,
                    Steps = 1,
                    Initializer = "dog",
                },
                "x",
                _profile,
                () => 1
            )
        );

    private static long Draw(int side, ComputeTarget? target = null, MemoryPolicy? policy = null) =>
        MemoryEstimate.OfGeneration(
            _profile,
            target ?? _fp32,
            policy ?? MemoryPolicy.High,
            GenerationSettings.Resolve(
                new GenerationOptions
                {
                    Prompt = "a dog",
                    Width = side,
                    Height = side,
                },
                _profile,
                () => 1
            )
        );
}
