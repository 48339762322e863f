using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Planning;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Tests.Training;
using Dti.Engine.Training;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Families.TinyDit;

/// <summary>
/// A family that is known by its own folder and one line of registration: nothing else of the engine was written for
/// it.
/// </summary>
public sealed class TinyDitTests : IDisposable
{
    private static readonly ModelFamilies _families = new([.. ModelFamilies.BuiltIn.All, new TinyDitFamily()]);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-tiny-dit-");
    private readonly ModelProfile _profile;
    private readonly IDiffusionModel _model;

    public TinyDitTests()
    {
        TinyDitFolder.Write(_folder.FullName);
        _profile = _families.Read(_folder.FullName);
        _model = _profile.Load(new ComputeTarget(CPU, ScalarType.Float32));
    }

    [Fact]
    public void Run_Training_MovesTheDirectionsAndKeepsTheMagnitude()
    {
        var (settings, events) = Train(MemoryPolicy.High);

        var finished = Assert.IsType<TrainingFinished>(events[^1]);
        Assert.Equal(12, finished.Last.Step);
        Assert.True(finished.Last.AngleDegrees > 1, $"the directions moved by {finished.Last.AngleDegrees} degrees");
        Assert.Equal(settings.MagnitudeValue, finished.Last.Norm, 1e-4);
        Assert.Equal(2, events.OfType<TrainingPreview>().Count());
        Assert.Equal([TinyDitFamily.EmbeddingKey], finished.Concept.Keys);
    }

    [Fact]
    public void Run_TrainingWithCheckpoints_HasTheSameLosses()
    {
        double[] Losses(MemoryPolicy memory) =>
            [.. Train(memory).Events.OfType<TrainingStep>().Select(step => step.Loss)];

        Assert.Equal(Losses(MemoryPolicy.High), Losses(MemoryPolicy.Low with { OffloadIdle = false }), (a, b) =>
            Math.Abs(a - b) <= 1e-5 * a
        );
    }

    [Fact]
    public void Run_Training_LowersTheLossAtTheSameNoise()
    {
        var checks = Train(
            MemoryPolicy.High,
            new TrainingOptions
            {
                Steps = 60,
                CheckEvery = 60,
                LearningRate = 0.05,
                PreviewEvery = 0,
                Kappa = 0,
            }
        )
            .Events.OfType<TrainingCheck>()
            .ToArray();

        Assert.True(
            checks[^1].HeldOutLoss < checks[0].HeldOutLoss,
            $"{checks[0].HeldOutLoss} became {checks[^1].HeldOutLoss}"
        );
    }

    [Theory]
    [InlineData("euler")]
    [InlineData("dpmpp_2m")]
    public void Run_Generation_IsRepeatableAndSeesTheConcept(string sampler)
    {
        var concept = Trained();
        var other = concept with { Encoders = [.. concept.Encoders.Select(Opposite)] };

        var image = Generate(concept, sampler);

        Assert.Equal((64, 64), (image.Width, image.Height));
        Assert.Equal(image.Pixels.ToArray(), Generate(concept, sampler).Pixels.ToArray());
        Assert.NotEqual(image.Pixels.ToArray(), Generate(other, sampler).Pixels.ToArray());
    }

    [Theory]
    [InlineData(ConceptFileFormat.Diffusers)]
    [InlineData(ConceptFileFormat.WebUi)]
    public void ReadConcept_AfterWriting_GeneratesTheSameImageWithinALevel(ConceptFileFormat format)
    {
        var concept = Trained();
        var path = Path.Combine(_folder.FullName, "cat.safetensors");
        ConceptFile.Write(path, concept, format);

        var back = ConceptFile.Read(path, concept.Placeholder);

        Assert.Equal(concept.Encoders[0].Embedding(0), back.Encoders[0].Embedding(0), (a, b) =>
            Math.Abs(a - b) <= 1e-6f * Math.Abs(a)
        );
        Assert.Equal(Generate(concept, "euler").Pixels.ToArray(), Generate(back, "euler").Pixels.ToArray(), (a, b) =>
            Math.Abs(a - b) <= 1
        ); // e is split into m and v again
    }

    [Fact]
    public void Resolve_DdpmSampler_ListsTheFlowsSamplers()
    {
        var error = Assert.Throws<ValidationException>(() =>
            GenerationSettings.Resolve(new GenerationOptions { Scheduler = "ddim" }, _profile, () => 1)
        );

        Assert.Equal("scheduler 'ddim' is not one of dpmpp_2m, euler.", error.Message);
    }

    [Fact]
    public void Resolve_ClipSkip_IsRefused() =>
        Assert.Equal(
            "clip_skip",
            Assert
                .Throws<ValidationException>(() =>
                    GenerationSettings.Resolve(new GenerationOptions { ClipSkip = 2 }, _profile, () => 1)
                )
                .Field
        );

    [Fact]
    public void OfTraining_Profile_EstimatesFromItsOwnFootprint()
    {
        long Estimate(int batch) =>
            MemoryEstimate.OfTraining(
                _profile,
                _model.Target,
                _model.Memory,
                TrainingSettings.Resolve(
                    new TrainingOptions { BatchSize = batch, PreviewEvery = 0 },
                    "cat",
                    _profile,
                    () => 1
                )
            );

        Assert.True(Estimate(8) > Estimate(1));
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Delete(recursive: true);
    }

    private static DirectionalVectors Opposite(DirectionalVectors vectors) =>
        DirectionalVectors.FromEmbeddings([
            .. Enumerable.Range(0, vectors.Count).Select(i => Array.ConvertAll(vectors.Embedding(i), value => -value)),
        ]);

    private ConceptEmbedding Trained() => ((TrainingFinished)Train(MemoryPolicy.High).Events[^1]).Concept;

    private (TrainingSettings Settings, List<TrainingEvent> Events) Train(
        MemoryPolicy memory,
        TrainingOptions? options = null
    )
    {
        var settings = TrainingSettings.Resolve(
            options
                ?? new TrainingOptions
                {
                    Steps = 12,
                    BatchSize = 2,
                    PreviewEvery = 6,
                    PreviewSteps = 2,
                    Seed = 3,
                    CheckEvery = 6,
                },
            "cat",
            _profile,
            () => 3
        );
        using var model = _profile.Load(_model.Target, memory);
        return (settings, [.. new Trainer(model, settings, NoisePhotos.Load()).Run(default)]);
    }

    private RgbImage Generate(ConceptEmbedding concept, string sampler)
    {
        var options = new GenerationOptions
        {
            Prompt = $"a photo of {concept.Placeholder}",
            Steps = 4,
            Scheduler = sampler,
            Seed = 5,
            PreviewEvery = 2,
        };
        return new TextToImage(_model)
            .Run(GenerationSettings.Resolve(options, _profile, () => 5), [concept], default)
            .OfType<GeneratedImage>()
            .Single()
            .Image;
    }
}
