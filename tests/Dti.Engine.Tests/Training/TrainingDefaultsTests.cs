using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Training;
using Dti.Tests;

namespace Dti.Engine.Tests.Training;

public sealed class TrainingDefaultsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-defaults").FullName;

    [Fact]
    public void Resolve_ModelThatSays_TakesItWhereNothingIsAsked()
    {
        var profile = Profile("""{"training": {"learning_rate": 0.08, "steps": 200, "kappa": 0.01}}""");
        TrainingSettings Resolve(TrainingOptions options) =>
            TrainingSettings.Resolve(options with { Initializer = "cat" }, "x", profile, () => 1);

        Assert.Equal((0.08, 200), (Resolve(new()).LearningRate, Resolve(new()).Steps));
        Assert.Equal(
            (0.02, 7),
            (Resolve(new() { LearningRate = 0.02 }).LearningRate, Resolve(new() { Steps = 7 }).Steps)
        );
        Assert.Equal((0.01, 0.1), (Resolve(new()).Kappa, Resolve(new() { Obedience = 1 }).Kappa));
        Assert.Equal(0.005, Resolve(new() { Method = TrainingMethod.TextualInversion }).LearningRate);
    }

    [Fact]
    public void Resolve_ModelWithALearningRateSchedule_IsForDirectionalTextualInversion()
    {
        var profile = Profile("""{"training": {"learning_rate_schedule": "cosine"}}""");
        LearningRateSchedule Resolve(TrainingOptions options) =>
            TrainingSettings.Resolve(options with { Initializer = "cat" }, "x", profile, () => 1).LearningRateSchedule;

        Assert.Equal(LearningRateSchedule.Cosine, Resolve(new()));
        Assert.Equal(
            LearningRateSchedule.Linear,
            Resolve(new() { LearningRateSchedule = LearningRateSchedule.Linear })
        );
        Assert.Equal(LearningRateSchedule.Constant, Resolve(new() { Method = TrainingMethod.TextualInversion }));
    }

    [Fact]
    public void Resolve_ModelThatSaysNothing_TakesThePapers() =>
        Assert.Equal(
            (0.01, 500),
            (
                TrainingSettings.Resolve(new() { Initializer = "cat" }, "x", Profile(null), () => 1) is var settings
                    ? settings.LearningRate
                    : 0,
                settings.Steps
            )
        );

    [Theory]
    [InlineData(TrainingPreset.Fast, 100)]
    [InlineData(TrainingPreset.Balanced, 200)]
    [InlineData(TrainingPreset.Faithful, 400)]
    public void Resolve_Preset_TakesItsShareOfTheModelsSteps(TrainingPreset preset, int expected)
    {
        var profile = Profile("""{"training": {"steps": 200}}""");

        Assert.Equal(
            expected,
            TrainingSettings.Resolve(new() { Initializer = "cat", Preset = preset }, "x", profile, () => 1).Steps
        );
        Assert.Equal(
            7,
            TrainingSettings
                .Resolve(
                    new()
                    {
                        Initializer = "cat",
                        Preset = preset,
                        Steps = 7,
                    },
                    "x",
                    profile,
                    () => 1
                )
                .Steps
        );
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.25, 3.1622776601683795e-5)]
    [InlineData(0.5, 1e-4)]
    [InlineData(1, 1e-3)]
    public void Resolve_Obedience_SetsKappa(double obedience, double kappa)
    {
        var profile = Profile(null);

        Assert.Equal(
            kappa,
            TrainingSettings.Resolve(new() { Initializer = "cat", Obedience = obedience }, "x", profile, () => 1).Kappa,
            1e-12
        );
        Assert.Equal(
            0.3,
            TrainingSettings
                .Resolve(
                    new()
                    {
                        Initializer = "cat",
                        Obedience = obedience,
                        Kappa = 0.3,
                    },
                    "x",
                    profile,
                    () => 1
                )
                .Kappa
        );
    }

    [Fact]
    public void Resolve_ObedienceOutOfRangeOrForABaseline_IsRefused()
    {
        string Field(TrainingOptions options) =>
            Assert
                .Single(
                    Assert
                        .Throws<ValidationException>(() =>
                            TrainingSettings.Resolve(options with { Initializer = "cat" }, "x", Profile(null), () => 1)
                        )
                        .Violations
                )
                .Field;

        Assert.Equal("obedience", Field(new() { Obedience = 1.5, Kappa = 0 }));
        Assert.Equal("obedience", Field(new() { Obedience = 0.7, Method = TrainingMethod.TextualInversion }));
    }

    [Fact]
    public void Resolve_ModelThatKnowsOnlyADomain_WarnsWithTheWayToARealModel()
    {
        TrainingSettings Resolve(string? json) =>
            TrainingSettings.Resolve(new() { Initializer = "cat" }, "x", Profile(json), () => 1);

        Assert.Empty(Resolve(null).Warnings);
        var warning = Assert.Single(Resolve("""{"domain": "drawings of hats"}""").Warnings);
        Assert.Equal("MODEL_DOMAIN", warning.Code);
        Assert.Contains("knows only drawings of hats", warning.Message, StringComparison.Ordinal);
        Assert.Contains("--models", warning.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"training": 7}""")]
    [InlineData("""{"training": {"steps": 0}}""")]
    [InlineData("""{"training": {"learning_rate": "fast"}}""")]
    [InlineData("""{"training": {"learning_rate_schedule": "fast"}}""")]
    [InlineData("""{"training": {"start": "fast"}}""")]
    [InlineData("""{"training": {"start": "photos"}}""")] // without a photo encoder
    [InlineData("""{"domain": 7}""")]
    [InlineData("""{"domain": " "}""")]
    [InlineData("""{"domain": "a\nb"}""")]
    [InlineData("{")]
    public void Read_FileThatMakesNoSense_IsTheModelsProblem(string json)
    {
        var error = Assert.Throws<DtiException>(() => Profile(json));

        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.Contains(ModelNotes.FileName, error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ModelProfile Profile(string? json)
    {
        var source = Path.Combine(Fixtures.Root, "tiny-sd15");
        foreach (
            var file in Directory
                .EnumerateFiles(source, "*", SearchOption.AllDirectories)
                .Where(file => !file.Contains("expected", StringComparison.Ordinal))
        )
        {
            var target = Path.Combine(_folder, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }

        if (json is not null)
        {
            File.WriteAllText(Path.Combine(_folder, ModelNotes.FileName), json);
        }

        return ModelFamilies.BuiltIn.Read(_folder);
    }
}
