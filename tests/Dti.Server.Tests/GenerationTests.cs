using Dti.Engine.Concepts;
using Dti.Engine.Imaging;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Dti.Server.Tests;

public sealed class GenerationTests : IAsyncLifetime
{
    private readonly TestServer _server = TestServer.Start();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Generate_ThreePictures_StreamsStepsAndPicturesInOrder()
    {
        var options = TestServer.Draw("a dog");
        (options.NumImages, options.Format) = (3, PictureFormat.Webp);

        var events = await _server.GenerateAsync(options);

        Assert.Equal(
            ("a dog", "", 2, 7.5, "pndm", "tiny-sd15"),
            (
                events[0].Accepted.Settings.Prompt,
                events[0].Accepted.Settings.NegativePrompt,
                events[0].Accepted.Settings.Steps,
                events[0].Accepted.Settings.GuidanceScale,
                events[0].Accepted.Settings.Scheduler,
                events[0].Accepted.Settings.Model
            )
        );
        Assert.Equal([1, 2, 3, 4, 5, 6], events.Where(e => e.Progress is not null).Select(e => e.Progress.Step));
        var pictures = events.Where(e => e.Picture is not null).Select(e => e.Picture).ToArray();
        Assert.Equal([0, 1, 2], pictures.Select(picture => picture.Index));
        Assert.All(pictures, picture =>
        {
            var image = ImageCodec.Decode(picture.Data.ToByteArray(), "picture");
            Assert.Equal((64, 64, "image/webp"), (image.Width, image.Height, picture.MediaType));
        });
        Assert.Equal(3, events[^1].Result.Pictures);
    }

    [Fact]
    public async Task Generate_PreviewEvery_ShowsThePictureInTheMakingToWhoLooksOn()
    {
        var options = TestServer.Draw("a dog");
        (options.Steps, options.PreviewEvery) = (24, 3);

        var events = await _server.GenerateAsync(options);

        Assert.Equal(3, events[0].Accepted.Settings.PreviewEvery);
        Assert.Equal(Enumerable.Range(1, 24), events.Where(e => e.Progress is not null).Select(e => e.Progress.Step));
        var shown = events.Where(e => e.Progress?.Preview is not null).Select(e => e.Progress).ToArray();
        Assert.NotEmpty(shown);
        Assert.All(shown, progress =>
        {
            var image = ImageCodec.Decode(progress.Preview.Data.ToByteArray(), "preview");
            Assert.Equal(
                (0, 8, 8, "image/png"),
                (progress.Step % 3, image.Width, image.Height, progress.Preview.MediaType)
            );
            Assert.Equal((0, "a dog", 3UL), (progress.Preview.Index, progress.Preview.Prompt, progress.Preview.Seed));
        });

        // The log keeps the steps alone; and the picture is the same.
        var later = new List<GenerateResponse>();
        using var watch = _server.Jobs.Watch(
            new JobServiceWatchRequest { JobId = events[0].Accepted.JobId },
            cancellationToken: TestContext.Current.CancellationToken
        );
        await foreach (var happened in watch.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            later.Add(happened.Generate);
        }

        Assert.Equal(24, later.Count(e => e.Progress is not null));
        Assert.All(later, e => Assert.Null(e.Progress?.Preview));
        options.PreviewEvery = 0;
        Assert.Equal(
            await _server.PictureAsync(options),
            events.Single(e => e.Picture is not null).Picture.Data.ToByteArray()
        );
    }

    [Fact]
    public async Task Generate_PreviewsBeyondTheSteps_NamesTheField()
    {
        var options = TestServer.Draw("a dog");
        options.PreviewEvery = 3;

        Assert.Equal(["options.preview_every"], await Refusal.Fields(() => _server.GenerateAsync(options)));
    }

    [Fact]
    public async Task Generate_SameSeed_GivesTheSameBytes()
    {
        var other = TestServer.Draw("a dog");
        other.Seed++;

        Assert.Equal(
            await _server.PictureAsync(TestServer.Draw("a dog")),
            await _server.PictureAsync(TestServer.Draw("a dog"))
        );
        Assert.NotEqual(await _server.PictureAsync(TestServer.Draw("a dog")), await _server.PictureAsync(other));
    }

    [Fact]
    public async Task Generate_OtherPredictionType_IsUsedAndShown()
    {
        var other = TestServer.Draw("a dog");
        other.PredictionType = "v_prediction";

        Assert.Equal(
            "epsilon",
            (await _server.GenerateAsync(TestServer.Draw("a dog")))[0].Accepted.Settings.PredictionType
        );
        Assert.Equal("v_prediction", (await _server.GenerateAsync(other))[0].Accepted.Settings.PredictionType);
        Assert.NotEqual(await _server.PictureAsync(TestServer.Draw("a dog")), await _server.PictureAsync(other));
    }

    [Fact]
    public async Task Generate_UnknownPredictionType_NamesTheField()
    {
        var options = TestServer.Draw("a dog");
        options.PredictionType = "x0";

        Assert.Equal(["options.prediction_type"], await Refusal.Fields(() => _server.GenerateAsync(options)));
    }

    [Fact]
    public async Task Generate_ConceptInPrompt_ChangesThePictureAndIsNamed()
    {
        await _server.TrainAsync(TestServer.Request("my-dog"));

        var accepted = (await _server.GenerateAsync(TestServer.Draw("a photo of <my-dog>")))[0].Accepted;

        Assert.Equal(["my-dog"], accepted.Settings.Concepts);
        Assert.NotEqual(
            await _server.PictureAsync(TestServer.Draw("a photo of dog")),
            await _server.PictureAsync(TestServer.Draw("a photo of <my-dog>"))
        );
    }

    [Fact]
    public async Task Generate_PromptAsComfyUIWritesIt_IsTheConceptWithItsWeight()
    {
        await _server.TrainAsync(TestServer.Request("my-dog"));
        var comfy = await _server.GenerateAsync(
            TestServer.Draw("a photo of (embedding:my-dog.safetensors:1.4), sharp")
        );
        var plain = TestServer.Draw("a photo of (<my-dog>:1.4), sharp");
        plain.PromptSyntax = PromptSyntax.Plain;

        Assert.Equal(
            ("a photo of (<my-dog>:1.4), sharp", PromptSyntax.Weighted),
            (comfy[0].Accepted.Settings.Prompt, comfy[0].Accepted.Settings.PromptSyntax)
        );
        Assert.Equal(["my-dog"], comfy[0].Accepted.Settings.Concepts);
        Assert.Equal(
            await _server.PictureAsync(TestServer.Draw("a photo of (<my-dog>:1.4), sharp")),
            comfy.Single(e => e.Picture is not null).Picture.Data.ToByteArray()
        );
        Assert.NotEqual(await _server.PictureAsync(plain), await _server.PictureAsync(TestServer.Draw(plain.Prompt)));
        var error = await Refusal.Of(
            () => _server.GenerateAsync(TestServer.Draw("a photo of embedding:my-dgo")),
            StatusCode.NotFound
        );
        Assert.Contains("my-dog", error.Status.Detail, StringComparison.Ordinal);
    }

    /// <summary>ComfyUI's grammar (comfy/sd1_clip.py), on a library that has my-dog alone.</summary>
    [Theory]
    [InlineData("embedding:my-dog", "<my-dog>")]
    [InlineData("a embedding:my-dog, b", "a <my-dog>, b")]
    [InlineData("a embedding:my-dog,, b", "a <my-dog>,, b")]
    [InlineData("embedding:MY-DOG.safetensors,\nb", "<my-dog>,\nb")]
    [InlineData("embedding:my-dog.pt embedding:my-dog.bin", "<my-dog> <my-dog>")]
    [InlineData("(embedding:my-dog)", "(<my-dog>)")]
    [InlineData("((embedding:my-dog:1.25), x:0.8)", "((<my-dog>:1.25), x:0.8)")]
    [InlineData("(a embedding:my-dog :1.2)", "(a <my-dog> :1.2)")]
    [InlineData("(embedding:my-dog.pt:.5)embedding:my-dog", "(<my-dog>:.5)<my-dog>")]
    [InlineData("embedding: my-dog", "embedding: my-dog")]
    public async Task Generate_EmbeddingThatExists_IsItsPlaceholder(string prompt, string expected)
    {
        await ImportDog();
        Assert.Equal(expected, (await _server.GenerateAsync(TestServer.Draw(prompt)))[0].Accepted.Settings.Prompt);
    }

    [Theory]
    [InlineData("a embedding:my-dog.v2 b", "my-dog.v2")]
    [InlineData("embedding:verybadimagenegative_v1.3, b", "verybadimagenegative_v1.3")]
    [InlineData("embedding:animals/my-dog", "animals/my-dog")]
    [InlineData("embedding:animals\\my-dog.pt", "animals\\my-dog.pt")]
    [InlineData("embedding:my-dog,b", "my-dog,b")]
    [InlineData("embedding:my-dog:1.2", "my-dog:1.2")]
    [InlineData("embedding:собака", "собака")]
    [InlineData("(embedding:no-dog:1.2)", "no-dog")]
    public async Task Generate_EmbeddingThatDoesNotExist_IsRefusedWithItsWholeName(string prompt, string name)
    {
        await ImportDog();

        var error = await Refusal.Of(() => _server.GenerateAsync(TestServer.Draw(prompt)), StatusCode.NotFound);

        Assert.StartsWith($"There is no concept '{name}'.", error.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(
            name.Contains("dog", StringComparison.Ordinal),
            error.Status.Detail.Contains("Close: my-dog.", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Generate_LongPrompt_IsReadWholeUnlessItIsToBeCut()
    {
        var prompt = string.Join(' ', Enumerable.Repeat("a", 75)) + " red dog on the beach";
        var cut = TestServer.Draw(prompt);
        cut.LongPrompts = LongPrompts.Cut;

        var events = await _server.GenerateAsync(TestServer.Draw(prompt));

        Assert.Equal(LongPrompts.Chunks, events[0].Accepted.Settings.LongPrompts);
        Assert.DoesNotContain(events, e => e.Warning is not null);
        var pictures = await Task.WhenAll(
            _server.PictureAsync(cut),
            _server.PictureAsync(TestServer.Draw(string.Join(' ', Enumerable.Repeat("a", 75))))
        );
        Assert.Equal(pictures[1], pictures[0]);
        Assert.NotEqual(pictures[0], events.Single(e => e.Picture is not null).Picture.Data.ToByteArray());
    }

    private async Task ImportDog()
    {
        using var file = new MemoryStream();
        float[] vector = [.. Enumerable.Range(1, 32).Select(i => 0.01f * i)];
        ConceptFile.Write(
            file,
            new ConceptEmbedding("<x>", [DirectionalVectors.FromEmbeddings([vector])]),
            ConceptFileFormat.WebUi
        );
        await _server.Concepts.ImportAsync(new() { Name = "my-dog", Data = ByteString.CopyFrom(file.ToArray()) });
    }

    [Theory]
    [InlineData("LINEAR", new[] { 0, 0.25, 0.5, 0.75, 1 })]
    [InlineData("SMOOTH", new[] { 0, 0.15625, 0.5, 0.84375, 1 })]
    public async Task Interpolate_TwoConcepts_GoesFromOneToTheOther(string easing, double[] ts)
    {
        await TrainPair();

        var events = await _server.InterpolateAsync(
            new InterpolateRequest
            {
                FromConcept = "a",
                ToConcept = "b",
                Frames = 5,
                Easing = Enum.Parse<Easing>(easing, ignoreCase: true),
                Options = TestServer.Draw(""),
            }
        );

        var pictures = events.Where(e => e.Picture is not null).Select(e => e.Picture).ToArray();
        Assert.Equal(ts, pictures.Select(picture => picture.T));
        Assert.InRange(events[0].Accepted.AnglesDegrees.Single(), 1, 180);
        Assert.Equal(await _server.PictureAsync(TestServer.Draw("a photo of <a>")), pictures[0].Data.ToByteArray());
        Assert.Equal(5, pictures.Select(picture => Convert.ToHexString(picture.Data.Span)).Distinct().Count());
        Assert.Equal(5, events[^1].Result.Pictures);
    }

    /// <summary>
    /// Concepts in the prompts of an interpolation stand for themselves, as in those of a generation.
    /// </summary>
    [Fact]
    public async Task Interpolate_PromptThatNamesAConcept_UsesItsVectors()
    {
        await TrainPair();
        InterpolateRequest Asked(string prompt) =>
            new()
            {
                FromConcept = "a",
                ToConcept = "b",
                Frames = 2,
                Prompt = prompt,
                Options = TestServer.Draw(""),
            };

        var events = await _server.InterpolateAsync(Asked("{concept} and embedding:B"));

        Assert.Equal(["a", "b"], events[0].Accepted.Settings.Concepts.Distinct());
        Assert.Equal(
            await _server.PictureAsync(TestServer.Draw("<a> and <b>")),
            events.First(e => e.Picture is not null).Picture.Data.ToByteArray()
        );
        var missing = await Refusal.Of(
            () => _server.InterpolateAsync(Asked("{concept} and embedding:bb")),
            StatusCode.NotFound
        );
        Assert.Equal("There is no concept 'bb'. Close: b, a.", missing.Status.Detail);
        Assert.Contains(
            "'<c>'",
            (await Refusal.Of(() => _server.InterpolateAsync(Asked("{concept} and <c>")), StatusCode.NotFound))
                .Status
                .Detail,
            StringComparison.Ordinal
        );
        var negative = Asked("{concept}");
        negative.Options.NegativePrompt = "embedding:c";
        await Refusal.Of(() => _server.InterpolateAsync(negative), StatusCode.NotFound);
    }

    [Fact]
    public async Task Interpolate_WrongFields_NamesThemAsTheRequestSpellsThem()
    {
        await TrainPair();
        var fields = await Refusal.Fields(() =>
            _server.InterpolateAsync(
                new InterpolateRequest
                {
                    FromConcept = "a",
                    ToConcept = "b",
                    Frames = 1,
                    Prompt = "no mark",
                    Options = new GenerationOptions { Steps = 0 },
                }
            )
        );
        Assert.Equal(["frames", "options.steps", "prompt"], fields.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Interpolate_DifferentNumbersOfVectors_IsRefusedWithBothCounts()
    {
        await TrainPair();
        await _server.TrainAsync(TestServer.Request("c", change: r => r.Options.Initializer = "white cat"));
        var error = await Refusal.Of(
            () =>
                _server.InterpolateAsync(
                    new InterpolateRequest
                    {
                        FromConcept = "a",
                        ToConcept = "c",
                        Options = TestServer.Draw(""),
                    }
                ),
            StatusCode.FailedPrecondition
        );
        Assert.Contains("<a> has 1 vectors and <c> has 2", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interpolate_UnknownConcept_IsNotFound() =>
        await Refusal.Of(
            () =>
                _server.InterpolateAsync(
                    new InterpolateRequest
                    {
                        FromConcept = "nobody",
                        ToConcept = "none",
                        Options = TestServer.Draw(""),
                    }
                ),
            StatusCode.NotFound
        );

    private async Task TrainPair()
    {
        await _server.TrainAsync(TestServer.Request("a"));
        await _server.TrainAsync(TestServer.Request("b", change: r => r.Options.Initializer = "house"));
    }
}
