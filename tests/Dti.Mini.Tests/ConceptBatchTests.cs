using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;
using Dti.Mini.Study;
using Dti.Mini.Subjects;
using Dti.Mini.World.Designs;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Mini.Tests;

public sealed class ConceptBatchTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-mini-batch-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(TrainingMethod.Directional, 0.04, TrainingStart.Word, false)]
    [InlineData(TrainingMethod.Directional, 0.04, TrainingStart.Photos, false)]
    [InlineData(TrainingMethod.TextualInversion, 0.02, TrainingStart.Word, false)]
    [InlineData(TrainingMethod.TextualInversion, 0.5, TrainingStart.Word, true)]
    public void Run_SeveralConcepts_LearnsEachAsATrainerDoes(
        TrainingMethod method,
        double rate,
        TrainingStart start,
        bool stopsEarly
    )
    {
        using var scope = NewDisposeScope();
        var source = Path.Combine(Fixtures.Repository, "models", "dti-mini"); // as a fixture: an absolute path stays
        var profile = ModelFamilies.BuiltIn.Read(
            TinyPhotoEncoder.AddTo(Fixtures.CopyModel(source, Path.Combine(_folder.FullName, "dti-mini")))
        );
        using var model = StableDiffusionModel.Load(profile, new ComputeTarget(CPU, ScalarType.Float32));
        var study = new StudyMethod(
            "tested",
            method,
            rate,
            Steps: stopsEarly ? 7 : 3,
            Start: start,
            StopsEarly: stopsEarly
        );
        var runs = Enumerable
            .Range(0, 3)
            .Select(i =>
            {
                var options = study.Options("mug", i + 1) with { CheckEvery = stopsEarly ? 1 : null };
                var settings = TrainingSettings.Resolve(options, $"design-{i}", profile);
                return (
                    settings,
                    StudyTraining.Set(settings, StudyTraining.Photos(SubjectPhotos.Of(Design.HeldOut(i), i)))
                );
            })
            .ToArray();
        var alone = runs.Select(run => new Trainer(model, run.settings, run.Item2).Run(default))
            .Select(events => events.OfType<TrainingFinished>().Single().Concept)
            .ToArray();

        using var batch = new ConceptBatch(model, runs);
        var together = batch.Run();

        Assert.Equal(alone.Select(concept => concept.Placeholder), together.Select(concept => concept.Placeholder));
        foreach (var (expected, actual) in alone.Zip(together))
        {
            Assert.All(Embedding(expected).Zip(Embedding(actual)), pair =>
                Assert.Equal(pair.First, pair.Second, 1e-4f)
            );
        }

        // they did learn, and different things
        Assert.True(Distance(Embedding(together[0]), Embedding(together[1])) > 0.01);
    }

    private static float[] Embedding(ConceptEmbedding concept) => concept.Encoders[0].Embedding(0);

    private static double Distance(float[] a, float[] b) =>
        Math.Sqrt(a.Zip(b, (x, y) => (double)(x - y) * (x - y)).Sum());
}
