using System.Text.Json;
using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Tests.Models;
using Dti.Engine.Training;
using Dti.Engine.Training.Methods;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Training;

public class LearningMethodTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    /// <summary>Recorded cases of Cross Initialization: family, case, the phrase's initializer.</summary>
    public static TheoryData<string, string, string> CrossInitCases()
    {
        var data = new TheoryData<string, string, string>();
        foreach (
            string family in ModelFixture
                .AllFamilies()
                .Select(row => row.Data)
                .Where(family => File.Exists(ModelFixture.Expected(family, "crossinit.json")))
        )
        {
            using var json = JsonDocument.Parse(File.ReadAllText(ModelFixture.Expected(family, "crossinit.json")));
            foreach (var entry in json.RootElement.GetProperty("cases").EnumerateObject())
            {
                data.Add(family, entry.Name, entry.Value.GetProperty("initializer").GetString()!);
            }
        }

        return data;
    }

    /// <summary>It was taken for Directional Textual Inversion.</summary>
    [Fact]
    public void Of_UnknownMethod_IsRefused() =>
        Assert.Equal("method", Assert.Throws<DtiException>(() => LearningMethod.Of((TrainingMethod)99)).Field);

    [Theory]
    [MemberData(nameof(CrossInitCases))]
    public void Start_RecordedPhrase_IsTheReferences(string family, string name, string initializer)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(ModelFixture.Expected(family, "crossinit.safetensors"));
        foreach (var (encoder, suffix) in Suffixes(models.Model(family)))
        {
            var expected = golden[$"{name}/embeds{suffix}"];
            Tensor Start(TrainingMethod method) =>
                LearningMethod.Of(method).Start(models.Model(family), encoder, initializer, (int)expected.shape[0]);

            golden.AssertClose($"{name}/embeds{suffix}", Start(TrainingMethod.CrossInit));
            golden.AssertClose($"{name}/static_embeds{suffix}", Start(TrainingMethod.TextualInversion));
        }
    }

    [Theory]
    [MemberData(nameof(CrossInitCases))]
    public void Regularizer_RecordedEmbedding_IsTheReferences(string family, string name, string initializer)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(ModelFixture.Expected(family, "crossinit.safetensors"));
        Assert.NotEmpty(initializer);
        foreach (var (kind, start) in new[] { ("reg_crossinit", "embeds"), ("reg_token", "static_embeds") })
        {
            var loss = 0f;
            foreach (var (_, suffix) in Suffixes(models.Model(family)))
            {
                var embedding = golden[$"{name}/reg_e{suffix}"];
                using var regularizer = new StartRegularizer(golden[$"{name}/{start}{suffix}"], lambda: 0.5);

                loss += regularizer.Loss(embedding).item<float>();
                golden.AssertClose(
                    $"{name}/{kind}/grad{suffix}",
                    regularizer.AddTo(zeros_like(embedding), embedding),
                    recorded => recorded * 0.5
                );
            }

            Assert.Equal(
                golden[$"{name}/{kind}/loss"].item<float>() * 0.5,
                loss,
                golden.Tolerance($"{name}/{kind}/loss")
            );
        }
    }

    [Fact]
    public void Start_MoreVectorsThanTokens_RepeatsTheLast()
    {
        using var scope = NewDisposeScope();
        var start = LearningMethod.Of(TrainingMethod.CrossInit).Start(models.Model("tiny-sd15"), 0, "white cat", 4);

        Assert.True(start[1].allclose(start[3]));
        Assert.False(start[0].allclose(start[1]));
    }

    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(0.1, 1.7411)] // 2 · (0.5 / 2)^0.1
    public void AdamW_Renormalization_BringsRowsTowardTheNorm(double pull, double expected)
    {
        using var scope = NewDisposeScope();
        var row = tensor(new[] { 1.2f, 1.6f }, [1, 2]).requires_grad_(true); // norm 2
        using var optimizer = new AdamW(row, learningRate: 1e-9, weightDecay: 0, new Renormalization(0.5, pull));

        optimizer.Step(ones(1, 2));

        Assert.Equal(expected, row.norm().item<float>(), 1e-4);
    }

    [Fact]
    public void AdamW_Regularizer_PullsTowardTheStart()
    {
        using var scope = NewDisposeScope();
        var row = ones(1, 4).requires_grad_(true);
        using var optimizer = new AdamW(
            row,
            learningRate: 0.1,
            weightDecay: 0,
            regularizer: new StartRegularizer(zeros(1, 4), 1)
        );

        optimizer.Step(zeros(1, 4));

        Assert.Equal(0.9f, row.max().item<float>(), 1e-4f);
    }

    [Theory]
    [InlineData(KappaSchedule.Constant, 1, 1, 1)]
    [InlineData(KappaSchedule.Linear, 1, 0.5, 0.01)]
    [InlineData(KappaSchedule.Cosine, 1, 0.5, 0.000247)]
    public void Share_OverARun_FallsAsItsScheduleSays(KappaSchedule schedule, double first, double middle, double last)
    {
        Assert.Equal(first, schedule.Share(1, 100), 1e-6);
        Assert.Equal(middle, schedule.Share(51, 100), 1e-6);
        Assert.Equal(last, schedule.Share(100, 100), 1e-6);
    }

    [Theory]
    [InlineData(LearningRateSchedule.Constant, 1, 1, 1)]
    [InlineData(LearningRateSchedule.Linear, 1, 0.5, 0.01)]
    [InlineData(LearningRateSchedule.Cosine, 1, 0.5, 0.000247)]
    public void Share_OfTheLearningRate_FallsAsItsScheduleSays(
        LearningRateSchedule schedule,
        double first,
        double middle,
        double last
    )
    {
        Assert.Equal(first, schedule.Share(1, 100), 1e-6);
        Assert.Equal(middle, schedule.Share(51, 100), 1e-6);
        Assert.Equal(last, schedule.Share(100, 100), 1e-6);
    }

    [Fact]
    public void AddTo_LinearPrior_PullsLessAtEachStep()
    {
        using var scope = NewDisposeScope();
        var mu = tensor(new[] { 1f, 0f }, [1, 2]);
        var prior = new VonMisesFisherPrior(mu, 0.5, KappaSchedule.Linear, Steps: 10);

        Assert.Equal([-0.5f, 0f], prior.AddTo(zeros(1, 2), 1).data<float>().ToArray());
        Assert.Equal([-0.05f, 0f], prior.AddTo(zeros(1, 2), 10).data<float>().ToArray());
    }

    private static IEnumerable<(int Encoder, string Suffix)> Suffixes(StableDiffusionModel model) =>
        model.Profile.Encoders.Select((_, i) => (i, i == 0 ? "" : $"_{i + 1}"));
}
