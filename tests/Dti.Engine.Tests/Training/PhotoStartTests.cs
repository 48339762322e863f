using Dti.Engine.Checkpoints;
using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Training;

/// <summary>Training that starts at the direction that the model's photo encoder predicts.</summary>
public sealed class PhotoStartTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-photo-start-");
    private readonly Dictionary<string, IDiffusionModel> _loaded = [];

    public void Dispose()
    {
        foreach (var model in _loaded.Values)
        {
            model.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("tiny-sd15", TrainingMethod.Directional)]
    [InlineData("tiny-sd15", TrainingMethod.TextualInversion)]
    [InlineData("tiny-sdxl", TrainingMethod.Directional)]
    public void Run_FromPhotos_StartsEveryVectorAtTheNormalizedMeanOfTheirDirections(
        string family,
        TrainingMethod method
    )
    {
        var model = Model(family);

        var (concept, first) = Learn(model, Still with { Method = method, VectorCount = 2 });

        foreach (
            var (encoder, expected) in model
                .Profile.Encoders.Zip(Expected(model))
                .Index()
                .Select(pair => (pair.Index, pair.Item.Second))
        )
        {
            var vectors = concept.Encoders[encoder];
            Assert.Equal(2, vectors.Count);
            for (var i = 0; i < 2; i++)
            {
                Assert.Equal(model.Profile.Encoders[encoder].VocabularyNorms.Mean, vectors.Magnitudes[i], 1e-5);
                Assert.All(expected.Zip(vectors.Direction(i).ToArray()), pair =>
                    Assert.Equal(pair.First, pair.Second, 1e-5f)
                );
            }
        }

        Assert.InRange(first.AngleDegrees, 0, 0.01); // μ is the start
    }

    [Fact]
    public void Run_FromPhotosWithAWord_IsPulledTowardTheWord()
    {
        var model = Model("tiny-sd15");

        var (_, first) = Learn(model, Still with { Initializer = "dog" });
        var (_, pulled) = Learn(model, Still with { Initializer = "dog", Steps = 30, LearningRate = 0.02, Kappa = 10 });

        Assert.InRange(first.AngleDegrees, 15, 180);
        Assert.True(pulled.AngleDegrees < first.AngleDegrees - 10);
    }

    [Fact]
    public void Run_FromASnapshot_GivesTheNumbersOfTheUnbrokenRun()
    {
        var model = Model("tiny-sd15");
        var options = Still with { Steps = 5, LearningRate = 0.02 };
        using var snapshot = SnapshotAfter(model, options, 2);

        Assert.Equal(Vectors(Run(model, options)), Vectors(Run(model, options, snapshot)));
    }

    [Fact]
    public void Run_SnapshotOfAMachineThatRoundsOtherwise_ContinuesAtItsDirection()
    {
        var model = Model("tiny-sd15");
        var options = Still with { Steps = 5, LearningRate = 0.02 };
        using var snapshot = Moved(SnapshotAfter(model, options, 2), by: 1e-5f);

        var finished = Run(model, options, snapshot);

        Assert.All(Vectors(Run(model, options)).Zip(Vectors(finished)), pair =>
            Assert.Equal(pair.First, pair.Second, 1e-3f)
        );
    }

    [Fact]
    public void Run_SnapshotOfAnotherPhotoEncoder_IsRefused()
    {
        var options = Still with { Steps = 5, LearningRate = 0.02 };
        using var snapshot = SnapshotAfter(Model("tiny-sd15", seed: 2), options, 2);

        var refused = Assert.Throws<DtiException>(() => Run(Model("tiny-sd15"), options, snapshot));

        Assert.Contains("taken with other weights", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_SnapshotOfAWord_NamesTheStart()
    {
        var model = Model("tiny-sd15");
        using var snapshot = SnapshotAfter(model, Still with { Start = null, Steps = 5 }, 2);

        var refused = Assert.Throws<DtiException>(() => Run(model, Still with { Steps = 5 }, snapshot));

        Assert.Matches(@"taken with other [^;]*\bstart\b", refused.Message);
    }

    [Fact]
    public void Resolve_ModelWithoutPhotoEncoder_SaysWhatToDo()
    {
        var profile = ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, "tiny-sd15"));

        var violation = Assert.Single(
            Assert
                .Throws<ValidationException>(() =>
                    ShortTraining.Resolve(profile, new() { Start = TrainingStart.Photos })
                )
                .Violations
        );

        Assert.Equal("start", violation.Field);
        Assert.Contains("tiny-sd15 has no photo encoder", violation.Description, StringComparison.Ordinal);
        Assert.Contains("Start at a word", violation.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_PhotosWithWhatContradictsThem_NamesTheField()
    {
        var model = Model("tiny-sd15");
        var concept = Run(model, Still).Concept;

        Assert.Equal(["start"], Fields(new() { StartConcept = concept }));
        Assert.Equal(["start"], Fields(new() { Method = TrainingMethod.CrossInit }));
        Assert.Equal(["magnitude"], Fields(new() { Magnitude = MagnitudeChoice.Initializer }));
        Assert.NotNull(
            ShortTraining.Resolve(
                model.Profile,
                new()
                {
                    Start = TrainingStart.Photos,
                    Magnitude = MagnitudeChoice.Initializer,
                    Initializer = "dog",
                }
            )
        );

        IEnumerable<string> Fields(TrainingOptions options) =>
            Assert
                .Throws<ValidationException>(() =>
                    ShortTraining.Resolve(model.Profile, options with { Start = TrainingStart.Photos })
                )
                .Violations.Select(violation => violation.Field);
    }

    [Fact]
    public void Resolve_ModelThatDeclaresPhotos_StartsThereUnlessOtherwiseAsked()
    {
        var folder = TinyPhotoEncoder.AddTo(
            Fixtures.CopyModel("tiny-sd15", Path.Combine(_folder.FullName, "declares"))
        );
        File.WriteAllText(Path.Combine(folder, ModelNotes.FileName), """{"training": {"start": "photos"}}""");
        var profile = ModelFamilies.BuiltIn.Read(folder);
        var concept = Run(Model("tiny-sd15"), Still).Concept;

        var settings = ShortTraining.Resolve(profile, new());

        Assert.Equal((TrainingStart.Photos, "", 1), (settings.Start, settings.Initializer, settings.VectorCount));
        Assert.Equal(TrainingStart.Word, ShortTraining.Resolve(profile, new() { Start = TrainingStart.Word }).Start);
        Assert.Equal(TrainingStart.Word, ShortTraining.Resolve(profile, new() { Initializer = "cat" }).Start);
        Assert.Equal(TrainingStart.Word, ShortTraining.Resolve(profile, new() { Kind = ConceptKind.Style }).Start);
        Assert.Equal(TrainingStart.Word, ShortTraining.Resolve(profile, new() { StartConcept = concept }).Start);
        Assert.Equal(
            TrainingStart.Word,
            ShortTraining.Resolve(profile, new() { Method = TrainingMethod.TextualInversion }).Start
        );
    }

    private static TrainingOptions Still { get; } =
        new()
        {
            Start = TrainingStart.Photos,
            Steps = 1,
            LearningRate = 1e-9,
        };

    private IDiffusionModel Model(string family, ulong seed = 1)
    {
        var name = $"{family}-{seed}";
        if (!_loaded.TryGetValue(name, out var model))
        {
            var folder = TinyPhotoEncoder.AddTo(Fixtures.CopyModel(family, Path.Combine(_folder.FullName, name)), seed);
            model = ModelFamilies.BuiltIn.Read(folder).Load(new ComputeTarget(CPU, ScalarType.Float32));
            _loaded.Add(name, model);
        }

        return model;
    }

    private static TrainingFinished Run(
        IDiffusionModel model,
        TrainingOptions options,
        TrainingSnapshot? from = null
    ) =>
        (TrainingFinished)
            new Trainer(model, ShortTraining.Resolve(model.Profile, options), NoisePhotos.Load())
                .Run(from, TestContext.Current.CancellationToken)
                .Last();

    private static (ConceptEmbedding Concept, TrainingStep Last) Learn(IDiffusionModel model, TrainingOptions options)
    {
        var finished = Run(model, options);
        return (finished.Concept, finished.Last);
    }

    private static TrainingSnapshot SnapshotAfter(IDiffusionModel model, TrainingOptions options, int step)
    {
        var session = new Trainer(model, ShortTraining.Resolve(model.Profile, options), NoisePhotos.Load()).Begin();
        var reached = session
            .Run(TestContext.Current.CancellationToken)
            .OfType<TrainingStep>()
            .Where(done => done.Step == step)
            .Select(_ => session.Snapshot())
            .First();
        return reached;
    }

    private static float[] Vectors(TrainingFinished finished) => finished.Concept.Encoders[0].Embedding(0);

    /// <summary>The snapshot as if it had been taken where μ and the direction are a little different.</summary>
    private TrainingSnapshot Moved(TrainingSnapshot snapshot, float by)
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(_folder.FullName, "moved.safetensors");
        snapshot.Write(path);
        snapshot.Dispose();
        Dictionary<string, Tensor> tensors;
        IReadOnlyDictionary<string, string> metadata;
        using (var file = SafetensorsFile.Open(path))
        {
            metadata = file.Metadata;
            tensors = file.Tensors.Keys.ToDictionary(name => name, file.Read);
        }

        tensors["0.mu"].add_(by);
        tensors["0.parameter"].add_(by);
        SafetensorsWriter.Write(path, tensors, metadata.ToDictionary());
        return TrainingSnapshot.Read(path);
    }

    /// <summary>By hand: the direction of each photo, their mean, and that divided by its norm.</summary>
    private static float[][] Expected(IDiffusionModel model)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var photos = NoisePhotos.Load();
        using var encoder = model.Profile.LoadPhotoEncoder(CPU);
        var latents = model.Normalize(
            model.Encode(stack(Enumerable.Range(0, photos.Count).Select(i => photos.Pixels(photos.CenterCrop(i))))).Mean
        );
        return
        [
            .. encoder
                .Module.Forward(latents)
                .Select(directions =>
                {
                    Assert.All(directions.norm(1).data<float>().ToArray(), norm => Assert.Equal(1, norm, 1e-5f));
                    var mean = directions.mean([0]);
                    return (mean / mean.norm()).data<float>().ToArray();
                }),
        ];
    }
}
