using Dti.Engine.Tests.Models;
using Dti.Engine.Training;

namespace Dti.Engine.Tests.Training;

public class EarlyStoppingTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Fact]
    public void Note_LossThatFallsAndThenRises_KeepsTheLowestAndSaysWhy()
    {
        var stopping = new EarlyStopping();
        double[] losses = [1, 0.8, 0.7, 0.75, 0.72, 0.71, 0.74];

        var better = losses.Select((loss, i) => stopping.Note(new TrainingCheck(25 * (i + 1), loss, 0))).ToArray();

        Assert.Equal([true, true, true, false, false, false, false], better);
        Assert.Equal(75, stopping.Best!.Step);
        Assert.Contains("lowest at step 75 (0.7000)", stopping.Reason, StringComparison.Ordinal);
        Assert.Contains("100 steps since", stopping.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Note_LossThatKeepsFalling_GoesOn()
    {
        var stopping = new EarlyStopping();

        Assert.All(Enumerable.Range(1, 40), i => Assert.True(stopping.Note(new TrainingCheck(i, 1 - (0.02 * i), 0))));
        Assert.Null(stopping.Reason);
    }

    [Fact]
    public void Run_Checks_SayTheSameOfTheSameConceptAndChangeNothing()
    {
        var plain = Run(new TrainingOptions { Steps = 12 });
        var watched = Run(new TrainingOptions { Steps = 12, CheckEvery = 4 });
        var still = Run(
            new TrainingOptions
            {
                Steps = 12,
                CheckEvery = 4,
                LearningRate = 1e-12,
            }
        );

        Assert.Equal(Vector(plain), Vector(watched));
        Assert.Equal([0, 4, 8, 12], watched.OfType<TrainingCheck>().Select(check => check.Step));
        Assert.Single(still.OfType<TrainingCheck>().Select(check => check.HeldOutLoss).Distinct()); // no chance in it
        Assert.All(still.OfType<TrainingCheck>(), check => Assert.Equal(0, check.Drift, 1e-5));
        Assert.All(watched.OfType<TrainingCheck>().Skip(1), check => Assert.InRange(check.Drift, 1e-5, 2));
    }

    /// <summary>
    /// The rows of an embedding that is learnt itself were disposed of with the first check, and the embedding with
    /// them.
    /// </summary>
    [Theory]
    [InlineData(TrainingMethod.TextualInversion)]
    [InlineData(TrainingMethod.Rescaled)]
    [InlineData(TrainingMethod.Renormalized)]
    [InlineData(TrainingMethod.CrossInit)]
    public void Run_ChecksOfOtherMethods_ChangeNothingEither(TrainingMethod method)
    {
        var plain = Run(new TrainingOptions { Steps = 4, Method = method });
        var watched = Run(
            new TrainingOptions
            {
                Steps = 4,
                Method = method,
                CheckEvery = 2,
            }
        );

        Assert.Equal(Vector(plain), Vector(watched));
        Assert.Equal([0, 2, 4], watched.OfType<TrainingCheck>().Select(check => check.Step));
    }

    [Fact]
    public void Run_NothingMoreToLearn_StopsWithTheBestConceptAndSaysWhy()
    {
        // Steps this long only leap about: some early check stays the best.
        var options = new TrainingOptions
        {
            Steps = 400,
            CheckEvery = 2,
            StopEarly = true,
            LearningRate = 1,
            SnapshotEvery = 1,
        };
        var events = Run(options);

        var finished = (TrainingFinished)events[^1];
        var checks = events.OfType<TrainingCheck>().ToArray();
        Assert.InRange(finished.Last.Step, 8, 398);
        Assert.Equal(finished.ConceptStep + 8, finished.Last.Step);
        Assert.Equal(checks.Skip(1).MinBy(check => check.HeldOutLoss)!.Step, finished.ConceptStep);
        Assert.Contains($"step {finished.ConceptStep}", finished.Stopped, StringComparison.Ordinal);
        Assert.Equal(Vector(Run(options with { Steps = finished.ConceptStep, StopEarly = false })), Vector(events));
    }

    [Fact]
    public void Run_ResumedBeforeItStops_StopsAtTheSameStepWithTheSameConcept()
    {
        var options = new TrainingOptions
        {
            Steps = 400,
            CheckEvery = 2,
            StopEarly = true,
            LearningRate = 1,
        };
        var (model, settings) = (models.Model("tiny-sd15"), Settings(options));
        var whole = Run(options);
        var last = ((TrainingFinished)whole[^1]).Last.Step;
        foreach (var step in new[] { last - 1, 3 })
        {
            var session = new Trainer(model, settings, NoisePhotos.Load()).Begin();
            TrainingSnapshot? snapshot = null;
            foreach (var happened in session.Run(TestContext.Current.CancellationToken))
            {
                if (happened is TrainingStep done && done.Step == step + 1)
                {
                    break;
                }

                if ((happened as TrainingStep)?.Step == step || (happened as TrainingCheck)?.Step == step)
                {
                    snapshot?.Dispose();
                    snapshot = session.Snapshot();
                }
            }

            using (snapshot)
            {
                var rest = new Trainer(model, settings, NoisePhotos.Load())
                    .Run(snapshot, TestContext.Current.CancellationToken)
                    .ToList();
                Assert.Equal(((TrainingFinished)whole[^1]).Stopped, ((TrainingFinished)rest[^1]).Stopped);
                Assert.Equal(Vector(whole), Vector(rest));
            }
        }
    }

    private List<TrainingEvent> Run(TrainingOptions options) =>
        [
            .. new Trainer(models.Model("tiny-sd15"), Settings(options), NoisePhotos.Load()).Run(
                TestContext.Current.CancellationToken
            ),
        ];

    private TrainingSettings Settings(TrainingOptions options) =>
        TrainingSettings.Resolve(
            options with
            {
                Resolution = 64,
                BatchSize = 1,
                PreviewEvery = 0,
                Initializer = "dog",
                Seed = 3,
            },
            "x",
            models.Model("tiny-sd15").Profile,
            () => 1
        );

    private static float[] Vector(List<TrainingEvent> events) =>
        ((TrainingFinished)events[^1]).Concept.Encoders[0].Embedding(0);
}
