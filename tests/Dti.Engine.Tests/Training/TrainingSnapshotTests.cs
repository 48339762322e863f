using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Tests.Models;
using Dti.Engine.Training;
using Dti.Tests;

namespace Dti.Engine.Tests.Training;

public sealed class TrainingSnapshotTests(ModelFixture models) : IClassFixture<ModelFixture>, IDisposable
{
    private const int Steps = 10;
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-snapshots").FullName;

    public static TheoryData<string, TrainingMethod> Methods =>
        new(
            from method in Enum.GetValues<TrainingMethod>()
            from family in method is TrainingMethod.Directional or TrainingMethod.CrossInit
                ? new[] { "tiny-sd15", "tiny-sdxl" }
                : ["tiny-sd15"]
            select (family, method)
        );

    [Theory]
    [MemberData(nameof(Methods))]
    public void Run_FromASnapshotOfAnyStep_EqualsTheUnbrokenRunToTheBit(string family, TrainingMethod method)
    {
        var (model, settings) = Prepare(family, Options(method));
        var session = new Trainer(model, settings, NoisePhotos.Load()).Begin();
        var unbroken = new List<TrainingEvent>();
        foreach (var happened in session.Run(TestContext.Current.CancellationToken))
        {
            unbroken.Add(happened);
            if (happened is TrainingStep { Step: < Steps } step)
            {
                using var snapshot = session.Snapshot();
                snapshot.Write(PathOf(step.Step));
            }
        }

        // Every step's snapshot must give the next step and its own snapshot; so from each of them comes the whole
        // rest.
        for (var step = 1; step < Steps; step++)
        {
            using var snapshot = TrainingSnapshot.Read(PathOf(step));
            var resumed = new Trainer(
                model,
                step + 1 < Steps ? Prepare(family, Options(method) with { Steps = step + 1 }).Settings : settings,
                NoisePhotos.Load()
            ).Begin(snapshot);
            foreach (var happened in resumed.Run(TestContext.Current.CancellationToken))
            {
                if (happened is TrainingStep again)
                {
                    Assert.Equal(step + 1, again.Step);
                    Assert.Equal(
                        Numbers(unbroken.OfType<TrainingStep>().Single(other => other.Step == again.Step)),
                        Numbers(again)
                    );
                    if (again.Step < Steps)
                    {
                        using var next = resumed.Snapshot();
                        next.Write(PathOf(0));
                        Assert.Equal(File.ReadAllBytes(PathOf(again.Step)), File.ReadAllBytes(PathOf(0)));
                    }
                }
                else if (happened is TrainingFinished finished && step + 1 == Steps)
                {
                    Assert.Equal(Vectors(unbroken), Vectors([finished]));
                }
            }
        }

        // And one of them all the way.
        using var early = TrainingSnapshot.Read(PathOf(4));
        var rest = new Trainer(model, settings, NoisePhotos.Load())
            .Run(early, TestContext.Current.CancellationToken)
            .ToList();
        Assert.Equal(Steps - 4, rest.OfType<TrainingStep>().Count());
        Assert.Equal(Vectors(unbroken), Vectors(rest));
    }

    [Fact]
    public void Begin_Twice_GivesRunsThatKnowNothingOfEachOther()
    {
        var (model, settings) = Prepare("tiny-sd15", Options(TrainingMethod.Directional) with { Steps = 2 });
        var trainer = new Trainer(model, settings, NoisePhotos.Load());
        var (first, second) = (trainer.Begin(), trainer.Begin());
        var steps = new List<int>();

        var events = first.Run(TestContext.Current.CancellationToken, stepDone: run => NoteStep(run)).ToList();

        Assert.Equal([1, 2], steps);
        Assert.IsType<TrainingFinished>(events[^1]);
        Assert.Throws<InvalidOperationException>(second.Snapshot);
        Assert.Throws<InvalidOperationException>(() => first.Run(TestContext.Current.CancellationToken).ToList());

        void NoteStep(TrainingSession run)
        {
            using var snapshot = run.Snapshot();
            steps.Add(snapshot.Step);
        }
    }

    [Fact]
    public void Run_MoreStepsThanFirstAsked_EqualsTheLongerRun()
    {
        var (model, shorter) = Prepare("tiny-sd15", Options(TrainingMethod.Directional) with { Steps = 6 });
        var (_, longer) = Prepare("tiny-sd15", Options(TrainingMethod.Directional) with { Steps = 9 });
        using var end = SnapshotAfter(model, shorter, 6);

        var further = new Trainer(model, longer, NoisePhotos.Load())
            .Run(end, TestContext.Current.CancellationToken)
            .ToList();

        Assert.Equal(
            Vectors([.. new Trainer(model, longer, NoisePhotos.Load()).Run(TestContext.Current.CancellationToken)]),
            Vectors(further)
        );
    }

    [Fact]
    public void Run_SnapshotWithOtherSettings_NamesWhatDiffers()
    {
        var (model, settings) = Prepare("tiny-sd15", Options(TrainingMethod.Directional));
        using var snapshot = SnapshotAfter(model, settings, 2);
        var (_, other) = Prepare(
            "tiny-sd15",
            Options(TrainingMethod.Directional) with
            {
                LearningRate = 0.02,
                Seed = 8,
                PreviewSteps = 3,
            }
        );

        var error = Assert.Throws<DtiException>(() =>
            new Trainer(model, other, NoisePhotos.Load()).Run(snapshot, TestContext.Current.CancellationToken).ToList()
        );

        Assert.Contains("other learning_rate, seed;", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_SnapshotThatHasDoneAllSteps_AsksForMore()
    {
        var (model, settings) = Prepare("tiny-sd15", Options(TrainingMethod.Directional) with { Steps = 2 });
        using var snapshot = SnapshotAfter(model, settings, 2);

        var error = Assert.Throws<DtiException>(() =>
            new Trainer(model, settings, NoisePhotos.Load())
                .Run(snapshot, TestContext.Current.CancellationToken)
                .ToList()
        );

        Assert.StartsWith("2 steps are done already", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_SnapshotOfAnotherModel_IsRefused()
    {
        var (model, settings) = Prepare(
            "tiny-sd15",
            Options(TrainingMethod.Directional) with
            {
                Magnitude = MagnitudeChoice.Value,
                MagnitudeValue = 0.4,
                PredictionType = "epsilon",
            }
        );
        using var snapshot = SnapshotAfter(model, settings, 2);
        var (other, same) = Prepare(
            "tiny-sd21",
            Options(TrainingMethod.Directional) with
            {
                Magnitude = MagnitudeChoice.Value,
                MagnitudeValue = 0.4,
                PredictionType = "epsilon",
            }
        );

        var error = Assert.Throws<DtiException>(() =>
            new Trainer(other, same, NoisePhotos.Load()).Run(snapshot, TestContext.Current.CancellationToken).ToList()
        );

        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
    }

    [Fact]
    public void Read_AConceptOrHalfAFile_SaysThatItIsNoSnapshot()
    {
        var (model, settings) = Prepare("tiny-sd15", Options(TrainingMethod.Directional));
        using var snapshot = SnapshotAfter(model, settings, 1);
        snapshot.Write(PathOf(1));
        File.WriteAllBytes(PathOf(2), File.ReadAllBytes(PathOf(1))[..^10]);

        Assert.Throws<DtiException>(() => TrainingSnapshot.Read(PathOf(2)));
        var concept = Path.Combine(Fixtures.Root, "tiny-sd15", "expected", "webui-toy.safetensors");
        Assert.EndsWith(
            "no 'dti.snapshot'",
            Assert.Throws<DtiException>(() => TrainingSnapshot.Read(concept)).Message,
            StringComparison.Ordinal
        );
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static TrainingOptions Options(TrainingMethod method) =>
        new()
        {
            Method = method,
            Steps = Steps,
            Resolution = 64,
            BatchSize = 1,
            VectorCount = 2,
            Initializer = "white cat",
            RandomFlip = true,
            Kappa = method == TrainingMethod.Directional ? 1e-3 : null,
            Beta = method == TrainingMethod.Directional ? 0.9 : null,
            Regularization = method == TrainingMethod.Directional ? null : 0.5,
            PreviewEvery = 0,
            Seed = 7,
        };

    private (StableDiffusionModel Model, TrainingSettings Settings) Prepare(string family, TrainingOptions options)
    {
        var model = models.Model(family);
        return (model, TrainingSettings.Resolve(options, "x", model.Profile, () => 1));
    }

    private static TrainingSnapshot SnapshotAfter(StableDiffusionModel model, TrainingSettings settings, int step)
    {
        var session = new Trainer(model, settings, NoisePhotos.Load()).Begin();
        foreach (var happened in session.Run(TestContext.Current.CancellationToken))
        {
            if (happened is TrainingStep done && done.Step == step)
            {
                return session.Snapshot();
            }
        }

        throw new InvalidOperationException("the run was too short");
    }

    private string PathOf(int step) => Path.Combine(_folder, step + ".safetensors");

    private static double[] Numbers(TrainingStep step) =>
        [step.Loss, step.LossAverage, step.Norm, step.AngleDegrees, step.KappaOverGradient];

    private static float[] Vectors(IReadOnlyList<TrainingEvent> events) =>
        [
            .. ((TrainingFinished)events[^1]).Concept.Encoders.SelectMany(encoder =>
                Enumerable.Range(0, encoder.Count).SelectMany(encoder.Embedding)
            ),
        ];
}
