using Dti.Engine.Tests.Models;
using Dti.Engine.Training;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Training;

/// <summary>A step's photos in one batch or in several: the same numbers, but for fp32's rounding.</summary>
public class GradientAccumulationTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    // as large as the gradient of the tiny models, so that a gradient of another scale would turn another way
    private const float Kappa = 0.05f;

    public static TheoryData<string, TrainingMethod> Methods =>
        new(
            from method in Enum.GetValues<TrainingMethod>()
            from family in method is TrainingMethod.Directional or TrainingMethod.TextualInversion
                ? new[] { "tiny-sd15", "tiny-sdxl" }
                : ["tiny-sd15"]
            select (family, method)
        );

    [Theory]
    [MemberData(nameof(Methods))]
    public void Run_TwoBatchesOfTwo_EqualOneOfFour(string family, TrainingMethod method)
    {
        var whole = Run(family, method, batch: 4, accumulation: 1);
        var parts = Run(family, method, batch: 2, accumulation: 2);

        Assert.Equal(5, parts.Count(happened => happened is TrainingStep));
        foreach (var (one, two) in whole.OfType<TrainingStep>().Zip(parts.OfType<TrainingStep>()))
        {
            Assert.Equal(one.Loss, two.Loss, 1e-6 * one.Loss);
            // SDXL's miniature has gradients near zero
            Assert.Equal(one.KappaOverGradient, two.KappaOverGradient, 1e-3 * one.KappaOverGradient);
        }

        foreach (var (one, two) in Vectors(whole).Zip(Vectors(parts)))
        {
            Assert.Equal(one, two, 1e-5f);
        }

        Assert.NotEqual(Vectors(whole), Vectors(Run(family, method, batch: 2, accumulation: 1)));
    }

    [Fact]
    public void Run_FourBatchesOfOne_EqualOneOfFour()
    {
        var (whole, parts) = (
            Run("tiny-sd15", TrainingMethod.Directional, 4, 1),
            Run("tiny-sd15", TrainingMethod.Directional, 1, 4)
        );

        Assert.All(Vectors(whole).Zip(Vectors(parts)), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void Split_Masks_GoWithTheirPictures()
    {
        using var scope = NewDisposeScope();
        var latents = arange(16, ScalarType.Float32).reshape(4, 1, 2, 2);
        var batch = new TrainingBatch(
            latents,
            latents + 100,
            arange(4),
            [arange(8).reshape(4, 2)],
            latents.reshape(4, 4),
            latents + 200
        );

        var parts = batch.Split(2).ToArray();

        Assert.Equal([8, 9, 10, 11, 12, 13, 14, 15], parts[1].Latents.contiguous().data<float>().ToArray());
        Assert.Equal([2, 3], parts[1].Timesteps.contiguous().data<long>().ToArray());
        Assert.Equal([4, 5, 6, 7], parts[1].InputIds[0].contiguous().data<long>().ToArray());
        Assert.True(parts[1].Noise.eq(parts[1].Latents + 100).all().item<bool>());
        Assert.True(parts[1].Mask!.eq(parts[1].Latents + 200).all().item<bool>());
        Assert.True(parts[1].Sizes!.eq(parts[1].Latents.reshape(2, 4)).all().item<bool>());
    }

    private IReadOnlyList<TrainingEvent> Run(string family, TrainingMethod method, int batch, int accumulation)
    {
        var model = models.Model(family);
        var options = new TrainingOptions
        {
            Method = method,
            Steps = 5,
            BatchSize = batch,
            GradientAccumulation = accumulation,
            Resolution = 64,
            PreviewEvery = 0,
            Initializer = "dog",
            Seed = 5,
            Kappa = method == TrainingMethod.Directional ? Kappa : null,
        };
        var settings = TrainingSettings.Resolve(options, "x", model.Profile, () => 1);
        return [.. new Trainer(model, settings, NoisePhotos.Load()).Run(TestContext.Current.CancellationToken)];
    }

    private static IEnumerable<float> Vectors(IEnumerable<TrainingEvent> events) =>
        events.OfType<TrainingFinished>().Single().Concept.Encoders.SelectMany(encoder => encoder.Embedding(0));
}
