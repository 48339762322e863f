using Dti.Engine.Imaging;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Tests;

public sealed class TrainingTests : IAsyncLifetime
{
    private readonly TestServer _server = TestServer.Start();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Inspect_LearntConcept_KeepsItsNormAndKnowsItsStart()
    {
        var result = (await _server.TrainAsync(TestServer.Request("seen", steps: 5)))[^1].Result;

        var found = await _server.Concepts.InspectAsync(
            new ConceptServiceInspectRequest { Name = "seen", NumNearest = 3 }
        );

        var vector = Assert.Single(found.Vectors);
        Assert.Equal(("tiny-sd15", "dog"), (found.Model, found.Initializer));
        Assert.Equal(found.VocabularyNormMean, vector.Norm, 1e-5);
        Assert.Equal(result.AngleDegrees, vector.AngleDegrees, 0.05);
        Assert.Equal("dog", vector.Nearest[0].Token); // five steps of 0.01 do not go far
        Assert.Equal(3, vector.Nearest.Count);
    }

    [Fact]
    public async Task Inspect_WrongRequests_AreRefused()
    {
        await Refusal.Of(
            async () => await _server.Concepts.InspectAsync(new ConceptServiceInspectRequest { Name = "nobody" }),
            StatusCode.NotFound
        );
        await _server.TrainAsync(TestServer.Request("some"));
        Assert.Equal(
            ["num_nearest"],
            await Refusal.Fields(async () =>
                await _server.Concepts.InspectAsync(new ConceptServiceInspectRequest { Name = "some", NumNearest = 0 })
            )
        );
        await Refusal.Of(
            async () =>
                await _server.Concepts.InspectAsync(new ConceptServiceInspectRequest { Name = "some", Model = "none" }),
            StatusCode.NotFound
        );
    }

    [Theory]
    [InlineData("Ti")]
    [InlineData("TiRescaled")]
    [InlineData("TiRenormalized")]
    [InlineData("TiSoftlyRenormalized")]
    [InlineData("CrossInit")]
    public async Task Train_ByABaseline_SaysSoAndDrawsWithIt(string name)
    {
        var method = Enum.Parse<TrainingMethod>(name);
        var settings = (await _server.TrainAsync(TestServer.Request("plain", change: r => r.Options.Method = method)))[
            0
        ]
            .Accepted
            .Settings;

        Assert.Equal((method, 0.005, 0), (settings.Method, settings.LearningRate, settings.Kappa));
        Assert.NotEmpty(await _server.PictureAsync(TestServer.Draw("a photo of <plain>")));
    }

    [Fact]
    public async Task Train_FewSteps_StreamsAcceptedStepsPreviewsAndResult()
    {
        var events = await _server.TrainAsync(
            TestServer.Request("my-cat", steps: 5, change: r =>
                (r.Options.PreviewEvery, r.Options.PreviewSteps) = (2, 2)
            )
        );

        var accepted = events[0].Accepted;
        Assert.Equal("my-cat", accepted.Name);
        Assert.Equal(2, accepted.PhotoCount);
        Assert.Equal(
            ("<my-cat>", 0.01, 1e-4, "fp32", "cpu"),
            (
                accepted.Settings.Placeholder,
                accepted.Settings.LearningRate,
                accepted.Settings.Kappa,
                accepted.Settings.Dtype,
                accepted.Settings.Device
            )
        );
        Assert.InRange(accepted.Settings.MagnitudeValue, 0.1, 1);
        Assert.Equal([1, 2, 3, 4, 5], events.Where(e => e.Progress is not null).Select(e => e.Progress.Step));
        Assert.All(events.Where(e => e.Progress is not null), e =>
        {
            Assert.True(double.IsFinite(e.Progress.Loss) && e.Progress.Loss > 0);
            Assert.Equal(accepted.Settings.MagnitudeValue, e.Progress.Norm, 1e-4);
        });
        Assert.Equal([2, 4, 5], events.Where(e => e.Preview is not null).Select(e => e.Preview.Step));
        Assert.Equal("my-cat", events[^1].Result.Name);
        Assert.True(events[^1].Result.AngleDegrees > 0);
    }

    [Fact]
    public async Task Train_StopEarly_ShowsChecksAndSaysWhyItStopped()
    {
        var events = await _server.TrainAsync(
            TestServer.Request("stops", steps: 400, change: r =>
                (r.Options.StopEarly, r.Options.CheckEvery, r.Options.LearningRate, r.Options.BatchSize) = (
                    true,
                    2,
                    1,
                    8
                )
            )
        );

        var (checks, result) = (
            events.Where(e => e.Check is not null).Select(e => e.Check).ToArray(),
            events[^1].Result
        );
        Assert.Equal([0, 2, 4], checks.Take(3).Select(check => check.Step));
        Assert.All(checks, check => Assert.InRange(check.HeldOutLoss, 0.01, 100));
        Assert.InRange(result.Steps, 10, 399);
        Assert.Equal(result.Steps - 8, result.ConceptStep);
        Assert.Contains($"step {result.ConceptStep}", result.Stopped, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_WithPreviews_LeavesASummaryPicture()
    {
        var events = await _server.TrainAsync(TestServer.Request("seen", steps: 4, change: r =>
            {
                (r.Options.PreviewEvery, r.Options.PreviewSteps, r.Options.PreviewBaseline) = (2, 1, true);
                r.Options.PreviewPrompts.AddRange(["a {concept}", "a {concept} in snow"]);
            }));
        var concept = (await _server.Concepts.GetAsync(new ConceptServiceGetRequest { Name = "seen" })).Concept;
        var summary = ImageCodec.Decode(concept.SummaryPng.Span, "summary");

        Assert.Equal([0, 0, 2, 2, 4, 4], events.Where(e => e.Preview is not null).Select(e => e.Preview.Step));
        Assert.Equal("a dog in snow", events.Where(e => e.Preview is not null).ElementAt(1).Preview.Picture.Prompt);
        Assert.Equal((1600, 260 + 24 + (2 * (256 + 24))), (summary.Width, summary.Height));
        Assert.Empty((await _server.Concepts.ListAsync(new())).Concepts.Single().SummaryPng);
    }

    [Fact]
    public async Task Train_Finished_ConceptIsInTheLibraryWithEverythingThatRepeatsIt()
    {
        await _server.TrainAsync(
            TestServer.Request("my-cat", change: r => (r.Options.PreviewEvery, r.Options.PreviewSteps) = (3, 2))
        );

        var listed = Assert.Single((await _server.Concepts.ListAsync(new())).Concepts);
        var concept = (await _server.Concepts.GetAsync(new ConceptServiceGetRequest { Name = "my-cat" })).Concept;

        Assert.Equal(
            ("my-cat", "<my-cat>", "sd1", "tiny-sd15"),
            (listed.Name, concept.Placeholder, concept.Family, concept.Model)
        );
        Assert.Equal(7UL, concept.Settings.Seed);
        Assert.Equal(2, concept.PhotoSha256.Count);
        Assert.Empty(listed.ThumbnailPng);
        Assert.NotEmpty(concept.ThumbnailPng);
    }

    [Fact]
    public async Task Train_SameSeedTwice_GivesTheSameBytes()
    {
        await _server.TrainAsync(TestServer.Request("one"));
        await _server.TrainAsync(TestServer.Request("two", change: r => r.Options.Placeholder = "<two>"));
        await _server.TrainAsync(TestServer.Request("three", change: r => r.Options.Seed = 8));

        Assert.Equal(await Vectors("one"), await Vectors("two"));
        Assert.NotEqual(await Vectors("one"), await Vectors("three"));
    }

    [Fact]
    public async Task Train_AcceptedSettingsAgain_GiveTheSameConcept()
    {
        var first = await _server.TrainAsync(TestServer.Request("first", change: r => r.Options = new TrainingOptions
                {
                    Steps = 2,
                    BatchSize = 1,
                    Resolution = 64,
                    PreviewEvery = 0,
                }));
        var settings = first[0].Accepted.Settings;

        await _server.TrainAsync(TestServer.Request("again", change: r => r.Options = new TrainingOptions
                {
                    Model = settings.Model,
                    Initializer = settings.Initializer,
                    NumVectors = settings.NumVectors,
                    Steps = settings.Steps,
                    BatchSize = settings.BatchSize,
                    LearningRate = settings.LearningRate,
                    Kappa = settings.Kappa,
                    Beta = settings.Beta,
                    Magnitude = Magnitude.Value,
                    MagnitudeValue = settings.MagnitudeValue,
                    Resolution = settings.Resolution,
                    Seed = settings.Seed,
                    PreviewEvery = 0,
                }));

        Assert.Equal(await Vectors("first"), await Vectors("again"));
    }

    [Fact]
    public async Task Train_ExistingName_IsRefusedUnlessOverwriteIsAsked()
    {
        await _server.TrainAsync(TestServer.Request("cat"));
        var before = await Vectors("cat");

        var error = await Refusal.Of(
            () => _server.TrainAsync(TestServer.Request("cat", change: r => r.Options.Seed = 9)),
            StatusCode.AlreadyExists
        );
        Assert.Equal("CONCEPT_EXISTS", Refusal.Reason(error));
        Assert.Equal(before, await Vectors("cat"));

        await _server.TrainAsync(TestServer.Request("cat", change: r => (r.Options.Seed, r.Overwrite) = (9, true)));
        Assert.NotEqual(before, await Vectors("cat"));
    }

    [Fact]
    public async Task Export_BothLayouts_ImportAsTheSameConcept()
    {
        await _server.TrainAsync(TestServer.Request("cat"));
        foreach (var format in new[] { ConceptFormat.Diffusers, ConceptFormat.Webui })
        {
            var file = await _server.Concepts.ExportAsync(
                new ConceptServiceExportRequest { Name = "cat", Format = format }
            );
            var copy = await _server.Concepts.ImportAsync(
                new ConceptServiceImportRequest { Name = $"copy-{(int)format}", Data = file.Data }
            );
            Assert.Equal("cat.safetensors", file.FileName);
            Assert.Equal(("sd1", 1, 32), (copy.Concept.Family, copy.Concept.NumVectors, copy.Concept.Dimension));
        }

        Assert.Equal(
            await _server.PictureAsync(TestServer.Draw("a photo of <cat>")),
            await _server.PictureAsync(TestServer.Draw("a photo of <copy-2>"))
        );
    }

    [Fact]
    public async Task Train_OtherPredictionType_HasAnotherLoss()
    {
        var epsilon = await _server.TrainAsync(TestServer.Request("cat", steps: 1));
        var velocity = await _server.TrainAsync(
            TestServer.Request("dog", steps: 1, change: request => request.Options.PredictionType = "v_prediction")
        );

        Assert.Equal("v_prediction", velocity[0].Accepted.Settings.PredictionType);
        Assert.NotEqual(Loss(epsilon), Loss(velocity));

        static double Loss(List<TrainResponse> events) => events.Single(e => e.Progress is not null).Progress.Loss;
    }

    [Fact]
    public async Task Delete_ThenGet_IsNotFoundWithCloseNames()
    {
        await _server.TrainAsync(TestServer.Request("cat"));
        await _server.TrainAsync(TestServer.Request("cats"));
        await _server.Concepts.DeleteAsync(new ConceptServiceDeleteRequest { Name = "cat" });

        var error = await Refusal.Of(
            async () => await _server.Concepts.GetAsync(new ConceptServiceGetRequest { Name = "cat" }),
            StatusCode.NotFound
        );

        Assert.Equal("There is no concept 'cat'. Close: cats.", error.Status.Detail);
        Assert.DoesNotContain(Directory.GetFiles(_server.Options.ConceptFolder), file =>
            Path.GetFileName(file).StartsWith("cat.", StringComparison.Ordinal)
        );
    }

    /// <summary>A concept's vectors as its file holds them, without what the header says of it.</summary>
    private async Task<byte[]> Vectors(string name)
    {
        var file = (
            await _server.Concepts.ExportAsync(
                new ConceptServiceExportRequest { Name = name, Format = ConceptFormat.Webui }
            )
        ).Data.ToByteArray();
        return file[(8 + (int)BitConverter.ToUInt64(file))..];
    }

    [Theory]
    [InlineData("<other> in a garden", "<other>")]
    [InlineData("{concept} and embedding:other", "embedding:other")]
    public async Task Train_PreviewPromptThatNamesAnotherConcept_IsRefusedByName(string prompt, string name)
    {
        var error = await Refusal.Of(
            () =>
                _server.TrainAsync(
                    TestServer.Request("cat", change: request =>
                        request.Options.PreviewPrompts.Add(["<cat> in a garden", prompt])
                    )
                ),
            StatusCode.InvalidArgument
        );
        Assert.StartsWith(
            $"preview_prompts[1] names '{name}'. Previews show only the concept in training",
            error.Status.Detail,
            StringComparison.Ordinal
        );
    }
}
