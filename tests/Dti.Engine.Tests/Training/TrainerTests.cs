using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Tests.Models;
using Dti.Engine.Training;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Training;

public class TrainerTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Fact]
    public void Run_ThreeVectors_EachMovesAndKeepsItsMagnitude()
    {
        var events = Train(
            new TrainingOptions
            {
                Steps = 20,
                VectorCount = 3,
                Initializer = "white cat",
            }
        );

        var steps = events.OfType<TrainingStep>().ToArray();
        var learnt = Assert.IsType<TrainingFinished>(events[^1]).Concept.Encoders[0];
        Assert.Equal(Enumerable.Range(1, 20), steps.Select(step => step.Step));
        Assert.Equal(3, learnt.Count);
        Assert.All(steps, step => Assert.Equal(learnt.Magnitudes[0], step.Norm, 1e-5));
        var start = Train(
            new TrainingOptions
            {
                Steps = 1,
                LearningRate = 1e-9,
                VectorCount = 3,
                Initializer = "white cat",
            }
        );
        var initial = ((TrainingFinished)start[^1]).Concept.Encoders[0];
        for (var i = 0; i < 3; i++)
        {
            var cosine = learnt.Direction(i).ToArray().Zip(initial.Direction(i).ToArray(), (a, b) => a * b).Sum();
            Assert.InRange(cosine, -1, 0.999f); // 20 steps of 0.01 go farther than 2.5 degrees
        }
    }

    [Fact]
    public void Run_Always_LeavesEveryByteOfTheModelAsItWas()
    {
        var model = models.Model("tiny-sd15");
        var before = model.TextEncoder.TokenEmbedding.data<float>().ToArray();

        Train(new TrainingOptions { Steps = 5 });

        Assert.Equal(before, model.TextEncoder.TokenEmbedding.data<float>().ToArray());
        Assert.False(model.TextEncoder.TokenEmbedding.requires_grad);
    }

    [Fact]
    public void Run_SameSeed_GivesTheSameNumbersToTheBit()
    {
        float[] Learn(ulong seed) => (
                (TrainingFinished)
                    Train(
                        new TrainingOptions
                        {
                            Steps = 6,
                            Seed = seed,
                            RandomFlip = true,
                        }
                    )[^1]
            ).Concept.Encoders[0].Embedding(0);

        Assert.Equal(Learn(5), Learn(5));
        Assert.NotEqual(Learn(5), Learn(6));
    }

    [Fact]
    public void Run_Cancelled_StopsWithinOneStep()
    {
        using var cancellation = new CancellationTokenSource();
        var steps = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var happened in NewTrainer(new TrainingOptions { Steps = 100 }).Run(cancellation.Token))
            {
                steps = ((TrainingStep)happened).Step;
                if (steps == 3)
                {
                    cancellation.Cancel();
                }
            }
        });
        Assert.Equal(3, steps);
    }

    [Fact]
    public void Run_Previews_ComeAtTheAskedStepsAndAtTheEndFromOneSeed()
    {
        var events = Train(
            new TrainingOptions
            {
                Steps = 5,
                PreviewEvery = 2,
                PreviewSteps = 2,
                PreviewPrompts = ["a {concept}", "{concept} in snow"],
            }
        );
        var previews = events.OfType<TrainingPreview>().ToArray();
        Assert.Equal(
            [(2, 0), (2, 1), (4, 0), (4, 1), (5, 0), (5, 1)],
            previews.Select(preview => (preview.Step, preview.Index))
        );
        Assert.Single(previews.Select(preview => preview.Seed).Distinct());
        Assert.Equal("a <x>", previews[0].Prompt);
    }

    [Fact]
    public void Resolve_EverythingWrong_NamesEveryField()
    {
        var options = new TrainingOptions
        {
            Steps = 0,
            BatchSize = 65,
            LearningRate = double.NaN,
            Kappa = -1,
            Beta = 1,
            Resolution = 100,
            VectorCount = 33,
            PreviewEvery = -1,
            PreviewSteps = 0,
            Placeholder = "cat",
            Magnitude = MagnitudeChoice.Value,
            Initializer = "",
        };
        var error = Assert.Throws<ValidationException>(() => Settings(options));
        Assert.Equal(
            [
                "batch_size",
                "beta",
                "initializer",
                "kappa",
                "learning_rate",
                "magnitude_value",
                "num_vectors",
                "placeholder",
                "preview_every",
                "preview_steps",
                "resolution",
                "steps",
            ],
            error.Violations.Select(violation => violation.Field).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData(TrainingMethod.TextualInversion, 1.2, 10, false)] // free embeddings grow
    [InlineData(TrainingMethod.Rescaled, 1.2, 10, true)]
    [InlineData(TrainingMethod.Renormalized, 1, 1, true)]
    [InlineData(TrainingMethod.SoftlyRenormalized, 1, 1.9, false)]
    [InlineData(TrainingMethod.CrossInit, 5, 50, false)] // hidden states are longer than token embeddings
    public void Run_Baseline_LearnsTheEmbeddingItself(
        TrainingMethod method,
        double least,
        double most,
        bool keepsTheMagnitude
    )
    {
        var magnitude = Settings(new TrainingOptions()).MagnitudeValue;

        var events = Train(
            new TrainingOptions
            {
                Method = method,
                Steps = 20,
                LearningRate = 0.05,
            }
        );

        var (kept, last) = (
            ((TrainingFinished)events[^1]).Concept.Encoders[0].Magnitudes[0],
            events.OfType<TrainingStep>().Last()
        );
        Assert.InRange(last.AngleDegrees, 1, 180);
        Assert.InRange(last.Norm / magnitude, least - 1e-4, most + 1e-4);
        Assert.Equal(keepsTheMagnitude ? magnitude : last.Norm, kept, 1e-4);
    }

    [Fact]
    public void Run_Regularization_StaysNearerToTheStart()
    {
        double Angle(double regularization) =>
            Train(
                    new TrainingOptions
                    {
                        Method = TrainingMethod.TextualInversion,
                        Steps = 20,
                        LearningRate = 0.05,
                        Regularization = regularization,
                    }
                )
                .OfType<TrainingStep>()
                .Last()
                .AngleDegrees;

        Assert.True(Angle(100) < 0.7 * Angle(0));
    }

    [Fact]
    public void Run_KappaThatFalls_SaysHowStrongItIsAtEachStep()
    {
        var steps = Train(
                new TrainingOptions
                {
                    Steps = 10,
                    Kappa = 0.1,
                    KappaSchedule = KappaSchedule.Linear,
                }
            )
            .OfType<TrainingStep>()
            .ToArray();
        var constant = Train(new TrainingOptions { Steps = 1, Kappa = 0.1 }).OfType<TrainingStep>().Single();

        Assert.Equal(constant.KappaOverGradient, steps[0].KappaOverGradient, 1e-9);
        Assert.True(steps[9].KappaOverGradient < 0.3 * steps[0].KappaOverGradient);
    }

    [Theory]
    [InlineData(TrainingMethod.Directional)]
    [InlineData(TrainingMethod.TextualInversion)]
    public void Run_LearningRateThatFalls_MovesLessAtEachStep(TrainingMethod method)
    {
        TrainingStep[] Steps(LearningRateSchedule schedule) =>
            [
                .. Train(
                        new TrainingOptions
                        {
                            Method = method,
                            Steps = 10,
                            LearningRate = 0.02,
                            Kappa = method == TrainingMethod.Directional ? 0 : null,
                            LearningRateSchedule = schedule,
                        }
                    )
                    .OfType<TrainingStep>(),
            ];
        var constant = Steps(LearningRateSchedule.Constant);
        var falling = Steps(LearningRateSchedule.Linear);

        Assert.All(constant, step => Assert.Equal(0.02, step.LearningRate));
        Assert.Equal([0.02, 0.018, 0.016, 0.014], falling.Take(4).Select(step => Math.Round(step.LearningRate, 6)));
        Assert.Equal(constant[0].AngleDegrees, falling[0].AngleDegrees, 1e-6);
        Assert.InRange(falling[9].AngleDegrees, 0.01, 0.95 * constant[9].AngleDegrees);
    }

    [Fact]
    public void Resolve_MagnitudeByChoice_IsWhatTheVocabularyHas()
    {
        var norms = models.Model("tiny-sd15").Profile.VocabularyNorms;
        double Magnitude(MagnitudeChoice choice, string initializer = "cat") =>
            Settings(new TrainingOptions { Magnitude = choice, Initializer = initializer }).MagnitudeValue;

        Assert.Equal(norms.Mean, Magnitude(MagnitudeChoice.Mean));
        Assert.Equal(norms.Median, Magnitude(MagnitudeChoice.Median));
        Assert.InRange(norms.Median, norms.Min, norms.Max);
        Assert.Equal(
            (Magnitude(MagnitudeChoice.Initializer, "white") + Magnitude(MagnitudeChoice.Initializer)) / 2,
            Magnitude(MagnitudeChoice.Initializer, "white cat"),
            1e-9
        );
        Assert.NotEqual(Magnitude(MagnitudeChoice.Initializer, "white"), Magnitude(MagnitudeChoice.Initializer));
    }

    [Fact]
    public void Resolve_PriorForABaseline_IsRefused()
    {
        var error = Assert.Throws<ValidationException>(() =>
            Settings(
                new TrainingOptions
                {
                    Method = TrainingMethod.TextualInversion,
                    Kappa = 1e-4,
                    Beta = 0.9,
                }
            )
        );
        Assert.Equal(["kappa", "beta"], error.Violations.Select(violation => violation.Field));
    }

    [Fact]
    public void Resolve_RegularizationForDti_IsRefused() =>
        Assert.Equal(
            "regularization",
            Assert
                .Single(
                    Assert
                        .Throws<ValidationException>(() => Settings(new TrainingOptions { Regularization = 1 }))
                        .Violations
                )
                .Field
        );

    [Fact]
    public void Run_InBf16_StaysFinite()
    {
        using var model = StableDiffusionModel.Load(
            models.Model("tiny-sd15").Profile,
            new ComputeTarget(CPU, ScalarType.BFloat16)
        );
        var events = NewTrainer(
                new TrainingOptions
                {
                    Steps = 3,
                    PreviewEvery = 3,
                    PreviewSteps = 2,
                },
                model
            )
            .Run(TestContext.Current.CancellationToken)
            .ToList();
        Assert.All(events.OfType<TrainingStep>(), step => Assert.True(double.IsFinite(step.Loss)));
        Assert.Single(events.OfType<TrainingPreview>());
    }

    private List<TrainingEvent> Train(TrainingOptions options) =>
        [
            .. NewTrainer(options)
                .Run(TestContext.Current.CancellationToken)
                .Where(happened => happened is not TrainingWarning),
        ];

    private Trainer NewTrainer(TrainingOptions options, StableDiffusionModel? model = null) =>
        new(
            model ?? models.Model("tiny-sd15"),
            Settings(
                options with
                {
                    Resolution = 64,
                    BatchSize = options.BatchSize ?? 2,
                    PreviewEvery = options.PreviewEvery ?? 0,
                    Initializer = options.Initializer ?? "dog",
                }
            ),
            NoisePhotos.Load()
        );

    private TrainingSettings Settings(TrainingOptions options) =>
        TrainingSettings.Resolve(options, "x", models.Model("tiny-sd15").Profile, () => 1);
}
