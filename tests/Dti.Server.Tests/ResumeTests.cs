using System.Runtime.Versioning;
using Dti.Engine.Imaging;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Dti.Server.Tests;

public sealed class ResumeTests : IAsyncLifetime
{
    private readonly TestServer _server = TestServer.Start();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Resume_AfterCancel_EqualsTheUnbrokenTrainingToTheBit()
    {
        await _server.TrainAsync(TestServer.Request("whole", steps: 18));
        var cancelledAt = await CancelAsync(TestServer.Request("broken", steps: 18, change: Called), after: 3);

        var events = await _server.TrainAsync(Resume("broken"));

        Assert.Equal(cancelledAt, events[0].Accepted.StepsDone);
        Assert.Equal(7UL, events[0].Accepted.Settings.Seed);
        Assert.Equal(
            Enumerable.Range(cancelledAt + 1, 18 - cancelledAt),
            events.Where(e => e.Progress is not null).Select(e => e.Progress.Step)
        );
        Assert.Equal(await Vectors("whole"), await Vectors("broken"));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Start_FolderOfTrainings_IsTheServersAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "left to the rights of the folder above");
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(Path.Combine(_server.Options.ConceptFolder, ".runs"))
        ); // photos are in it
    }

    [Fact]
    public async Task Resume_FinishedWithMoreSteps_TrainsFurther()
    {
        await _server.TrainAsync(TestServer.Request("long", steps: 12));
        await _server.TrainAsync(TestServer.Request("short", steps: 5, change: Called));
        var refused = await Refusal.Fields(() => _server.TrainAsync(Resume("short")));

        var events = await _server.TrainAsync(Resume("short", options: new TrainingOptions { Steps = 12 }));

        Assert.Equal(["options.steps"], refused);
        Assert.Equal((5, 12), (events[0].Accepted.StepsDone, events[^1].Result.Steps));
        Assert.Equal(await Vectors("long"), await Vectors("short"));
        Assert.Equal(
            12,
            (await _server.Concepts.GetAsync(new ConceptServiceGetRequest { Name = "short" })).Concept.Settings.Steps
        );
    }

    [Fact]
    public async Task Resume_FromAKeptStep_MakesTheRestAgain()
    {
        await _server.TrainAsync(TestServer.Request("kept", steps: 7, change: r => r.Options.SnapshotEvery = 2));
        var before = await Vectors("kept");

        var events = await _server.TrainAsync(Resume("kept", step: 4));
        var error = await Refusal.Of(() => _server.TrainAsync(Resume("kept", step: 3)), StatusCode.InvalidArgument);

        Assert.Equal([5, 6, 7], events.Where(e => e.Progress is not null).Select(e => e.Progress.Step));
        Assert.Equal(before, await Vectors("kept"));
        Assert.Contains("kept are 2, 4, 6, 7", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resume_WithOtherSettingsOrPhotos_NamesThem()
    {
        await _server.TrainAsync(TestServer.Request("own"));

        var request = Resume(
            "own",
            options: new TrainingOptions
            {
                Steps = 9,
                LearningRate = 0.1,
                Kappa = 0,
                PreviewEvery = 0,
            }
        );
        request.Photos.Add(TestServer.Photo());

        Assert.Equal(
            ["photos", "options.learning_rate", "options.kappa"],
            await Refusal.Fields(() => _server.TrainAsync(request))
        );
    }

    /// <summary>They were added to those that the training was begun with.</summary>
    [Fact]
    public async Task Resume_OtherPreviewPrompts_ReplaceThoseOfTheBeginning()
    {
        await _server.TrainAsync(
            TestServer.Request("shown", change: request => request.Options.PreviewPrompts.Add("a photo of {concept}"))
        );

        var events = await _server.TrainAsync(
            Resume("shown", options: new TrainingOptions { Steps = 9, PreviewPrompts = { "a drawing of {concept}" } })
        );

        Assert.Equal(["a drawing of {concept}"], events[0].Accepted.Settings.PreviewPrompts);
    }

    /// <summary>It was refused, although all of preview_* may change.</summary>
    [Fact]
    public async Task Resume_PreviewBaseline_IsAccepted()
    {
        await _server.TrainAsync(TestServer.Request("based"));

        var events = await _server.TrainAsync(
            Resume("based", options: new TrainingOptions { Steps = 9, PreviewBaseline = true })
        );

        Assert.True(events[0].Accepted.Settings.PreviewBaseline);
    }

    [Fact]
    public async Task Resume_NothingToGoOnWith_IsNotFound()
    {
        await _server.TrainAsync(TestServer.Request("gone"));
        await _server.Concepts.DeleteAsync(new ConceptServiceDeleteRequest { Name = "gone" });
        await _server.TrainAsync(TestServer.Request("there", change: Called));

        foreach (var name in new[] { "gone", "their" })
        {
            var error = await Refusal.Of(() => _server.TrainAsync(Resume(name)), StatusCode.NotFound);
            Assert.Equal("TRAINING_NOT_FOUND", Refusal.Reason(error));
        }

        Assert.Contains(
            "there",
            (await Refusal.Of(() => _server.TrainAsync(Resume("their")), StatusCode.NotFound)).Status.Detail,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Resume_AfterTheServerStopped_GoesOnInTheNextOne()
    {
        await _server.TrainAsync(TestServer.Request("whole", steps: 16));
        var request = TestServer.Request("stopped", steps: 16, change: Called);
        using (var call = _server.Dti.Train(request, cancellationToken: TestContext.Current.CancellationToken))
        {
            await Assert.ThrowsAsync<RpcException>(async () =>
            {
                await foreach (var happened in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
                {
                    if (happened.Progress?.Step == 3)
                    {
                        _ = _server.StopAsync();
                    }
                }
            });
        }

        await _server.StopAsync();
        await using var next = TestServer.Start(options =>
            options with
            {
                ConceptFolder = _server.Options.ConceptFolder,
            }
        );
        var events = await next.TrainAsync(Resume("stopped"));

        Assert.True(events[0].Accepted.StepsDone >= 3);
        Assert.Equal(await Vectors("whole", next), await Vectors("stopped", next));
    }

    [Fact]
    public async Task Train_FromAConcept_StartsThereAndCanBeResumedWhenItIsGone()
    {
        await _server.TrainAsync(TestServer.Request("first", steps: 20));
        var exported = await _server.Concepts.ExportAsync(new ConceptServiceExportRequest { Name = "first" });
        await _server.Concepts.ImportAsync(new ConceptServiceImportRequest { Name = "brought", Data = exported.Data });
        TrainRequest From(string name, int steps) => TestServer.Request(name, steps, request =>
            {
                request.Options.StartConcept = "brought";
                request.Options.ClearInitializer();
                Called(request);
            });

        var events = await _server.TrainAsync(From("further", 4));
        await _server.TrainAsync(From("farther", 8));
        await _server.Concepts.DeleteAsync(new ConceptServiceDeleteRequest { Name = "brought" });
        await _server.TrainAsync(Resume("further", options: new TrainingOptions { Steps = 8 }));

        Assert.Equal("brought", events[0].Accepted.Settings.StartConcept);
        Assert.InRange(events[^1].Result.AngleDegrees, 0.01, 4 * 0.58); // at most four steps of 0.01 from the concept
        Assert.Equal(await Vectors("farther"), await Vectors("further"));
        await Refusal.Of(() => _server.TrainAsync(From("none", 2)), StatusCode.NotFound);
    }

    [Fact]
    public async Task Train_MaskCaptionAndTemplates_ReachTheTrainer()
    {
        var left = ByteString.CopyFrom(
            ImageCodec.Encode(
                new RgbImage(
                    80,
                    72,
                    [.. Enumerable.Range(0, 80 * 72 * 3).Select(i => (byte)(i / 3 % 80 < 40 ? 255 : 0))]
                ),
                ImageFormat.Png
            )
        );
        async Task<byte[]> Learn(string name, Action<TrainRequest> change)
        {
            await _server.TrainAsync(TestServer.Request(name, change: change + Called));
            return await Vectors(name);
        }

        var plain = await Learn("plain", _ => { });
        Assert.NotEqual(plain, await Learn("masked", r => r.Photos[0].Mask = left));
        Assert.NotEqual(plain, await Learn("captioned", r => r.Photos[0].Caption = "my dog in a box"));
        Assert.NotEqual(plain, await Learn("templated", r => r.Options.Templates.Add("a drawing of {concept}")));
        Assert.Equal(
            ["photos[0].mask"],
            await Refusal.Fields(() =>
                _server.TrainAsync(
                    TestServer.Request("bad", change: r => r.Photos[0].Mask = ByteString.CopyFromUtf8("no"))
                )
            )
        );
        Assert.Equal(
            ["photos[1].caption"],
            await Refusal.Fields(() =>
                _server.TrainAsync(TestServer.Request("bad", change: r => r.Photos[1].Caption = "a table"))
            )
        );
    }

    [Fact]
    public async Task Train_SamePhotoTwice_WarnsByName()
    {
        var events = await _server.TrainAsync(
            TestServer.Request("alike", change: r => r.Photos[1] = TestServer.Photo(1))
        );

        Assert.Contains(
            "'photo-1.png' and 'photo-1.png'",
            Assert.Single(events, e => e.Warning?.Code == "PHOTOS_ALIKE").Warning.Message,
            StringComparison.Ordinal
        );
    }

    private static void Called(TrainRequest request) => request.Options.Placeholder = $"<{request.Name}>";

    private static TrainRequest Resume(string name, int? step = null, TrainingOptions? options = null)
    {
        var request = new TrainRequest
        {
            Name = name,
            Resume = new TrainResume(),
            Options = options,
        };
        if (step is { } from)
        {
            request.Resume.FromStep = from;
        }

        return request;
    }

    /// <summary>Cancels a training after some steps; gives the step at which it stopped.</summary>
    private async Task<int> CancelAsync(TrainRequest request, int after)
    {
        var (jobId, last) = ("", 0);
        using var call = _server.Dti.Train(request, cancellationToken: TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (var happened in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
            {
                jobId = happened.Accepted?.JobId ?? jobId;
                last = happened.Progress?.Step ?? last;
                if (happened.Progress?.Step == after)
                {
                    await _server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = jobId });
                }
            }
        });
        return last;
    }

    private Task<byte[]> Vectors(string name, TestServer? server = null) => (server ?? _server).VectorsAsync(name);
}
