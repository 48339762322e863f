using Dti.Engine.Concepts;
using Dti.Engine.Tests.Models;
using Dti.Engine.Training;

namespace Dti.Engine.Tests.Training;

public class StartConceptTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Theory]
    [InlineData(TrainingMethod.Directional)]
    [InlineData(TrainingMethod.TextualInversion)]
    public void Run_FromAConcept_StartsThere(TrainingMethod method)
    {
        var concept = Learn(
            "tiny-sd15",
            new TrainingOptions
            {
                Steps = 30,
                VectorCount = 2,
                LearningRate = 0.05,
            }
        ).Concept;

        var (further, first) = Learn(
            "tiny-sd15",
            new TrainingOptions
            {
                StartConcept = concept,
                Method = method,
                Steps = 1,
                LearningRate = 1e-9,
                Initializer = null,
            }
        );

        Assert.Equal(2, further.VectorCount);
        Assert.True(Cosine(concept, further, 1) > 0.99999);
        Assert.InRange(first.AngleDegrees, 0, 0.01); // μ is the concept itself
        Assert.Equal(concept.Encoders[0].Magnitudes[1], further.Encoders[0].Magnitudes[1], 1e-5f);
    }

    [Fact]
    public void Run_FromAConceptWithAWord_IsPulledTowardTheWord()
    {
        var concept = Learn("tiny-sd15", new TrainingOptions { Steps = 30, LearningRate = 0.05 }).Concept;

        var (_, step) = Learn(
            "tiny-sd15",
            new TrainingOptions
            {
                StartConcept = concept,
                Initializer = "dog",
                Steps = 1,
                LearningRate = 1e-9,
            }
        );

        Assert.InRange(step.AngleDegrees, 10, 90);
        var pulled = Learn(
            "tiny-sd15",
            new TrainingOptions
            {
                StartConcept = concept,
                Initializer = "dog",
                Steps = 30,
                LearningRate = 0.01,
                Kappa = 10,
            }
        ).Last;
        Assert.True(pulled.AngleDegrees < step.AngleDegrees - 10);
    }

    [Fact]
    public void Run_FromTextualInversion_KeepsTheMagnitudeOfTheVocabulary()
    {
        var model = models.Model("tiny-sd15");
        var long_ = new ConceptEmbedding(
            "<long>",
            [
                new DirectionalVectors(
                    [
                        [.. Enumerable.Range(1, model.Profile.EmbeddingDimension).Select(i => (float)i)],
                    ],
                    [12]
                ),
            ]
        );

        Assert.Equal(
            model.Profile.VocabularyNorms.Mean,
            Learn(
                "tiny-sd15",
                new TrainingOptions
                {
                    StartConcept = long_,
                    Steps = 1,
                    Initializer = null,
                }
            )
                .Concept.Encoders[0]
                .Magnitudes[0],
            1e-5
        );
        Assert.Equal(
            12,
            Learn(
                "tiny-sd15",
                new TrainingOptions
                {
                    StartConcept = long_,
                    Steps = 1,
                    Initializer = null,
                    Magnitude = MagnitudeChoice.Initializer,
                }
            )
                .Concept.Encoders[0]
                .Magnitudes[0],
            1e-4
        );
    }

    [Fact]
    public void Resolve_ConceptThatDoesNotFit_IsRefused()
    {
        var concept = Learn("tiny-sd15", new TrainingOptions { Steps = 1 }).Concept;

        Assert.Equal(
            ErrorKind.FailedPrecondition,
            Assert
                .Throws<DtiException>(() => Settings("tiny-sdxl", new TrainingOptions { StartConcept = concept }))
                .Kind
        );
        var error = Assert.Throws<ValidationException>(() =>
            Settings(
                "tiny-sd15",
                new TrainingOptions
                {
                    StartConcept = concept,
                    VectorCount = 3,
                    Method = TrainingMethod.CrossInit,
                }
            )
        );
        Assert.Equal(["num_vectors", "start_concept"], error.Violations.Select(violation => violation.Field));
    }

    [Theory]
    [InlineData(LearntEncoders.First, 0, 1)]
    [InlineData(LearntEncoders.Second, 1, 0)]
    public void Run_OneTextEncoder_LeavesTheOtherAtTheStart(LearntEncoders learnt, int moved, int kept)
    {
        var start = Learn("tiny-sdxl", new TrainingOptions { Steps = 1, LearningRate = 1e-9 }).Concept;

        var (concept, last) = Learn("tiny-sdxl", new TrainingOptions { Steps = 20, TextEncoders = learnt });

        Assert.All(start.Encoders[kept].Embedding(0).Zip(concept.Encoders[kept].Embedding(0)), pair =>
            Assert.Equal(pair.First, pair.Second, 1e-6f)
        );
        Assert.Contains(start.Encoders[moved].Embedding(0).Zip(concept.Encoders[moved].Embedding(0)), pair =>
            Math.Abs(pair.First - pair.Second) > 1e-3f
        );
        Assert.True(last.AngleDegrees > 1); // of the one that moves
    }

    [Fact]
    public void Resolve_SecondTextEncoderOfOne_IsRefused() =>
        Assert.Equal(
            "text_encoders",
            Assert
                .Single(
                    Assert
                        .Throws<ValidationException>(() =>
                            Settings("tiny-sd15", new TrainingOptions { TextEncoders = LearntEncoders.Second })
                        )
                        .Violations
                )
                .Field
        );

    private (ConceptEmbedding Concept, TrainingStep Last) Learn(string family, TrainingOptions options)
    {
        var asked = options.StartConcept is null
            ? options with
            {
                Initializer = options.Initializer ?? "dog",
            }
            : options;
        var finished = (TrainingFinished)
            new Trainer(models.Model(family), Settings(family, asked), NoisePhotos.Load())
                .Run(TestContext.Current.CancellationToken)
                .Last();
        return (finished.Concept, finished.Last);
    }

    private TrainingSettings Settings(string family, TrainingOptions options) =>
        ShortTraining.Resolve(models.Model(family).Profile, options);

    private static double Cosine(ConceptEmbedding a, ConceptEmbedding b, int vector) =>
        a.Encoders[0]
            .Direction(vector)
            .ToArray()
            .Zip(b.Encoders[0].Direction(vector).ToArray(), (x, y) => (double)x * y)
            .Sum();
}
