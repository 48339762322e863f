using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;

namespace Dti.Server.Tests;

/// <summary>Training jobs that start at the direction that the model's photo encoder predicts.</summary>
public sealed class PhotoStartTests : IAsyncLifetime
{
    private readonly DirectoryInfo _models = Directory.CreateTempSubdirectory("dti-photo-start-");
    private readonly TestServer _server;

    public PhotoStartTests()
    {
        var model = Fixtures.CopyModel("tiny-sd15", Path.Combine(_models.FullName, "tiny"));
        TinyPhotoEncoder.AddTo(model);
        _server = TestServer.Start(options =>
            options with
            {
                ModelFolders = [model, Path.Combine(Fixtures.Root, "tiny-sd15")],
            }
        );
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _models.Delete(recursive: true);
    }

    [Fact]
    public async Task Train_FromPhotos_StartsThereAndResumesWithTheSameNumbers()
    {
        var events = await _server.TrainAsync(FromPhotos("short", steps: 4));
        await _server.TrainAsync(FromPhotos("whole", steps: 8));
        await _server.TrainAsync(
            new TrainRequest
            {
                Name = "short",
                Resume = new TrainResume(),
                Options = new TrainingOptions { Steps = 8 },
            }
        );
        var concept = (await _server.Concepts.GetAsync(new ConceptServiceGetRequest { Name = "short" })).Concept;

        Assert.Equal(
            (TrainingStart.Photos, ""),
            (events[0].Accepted.Settings.Start, events[0].Accepted.Settings.Initializer)
        );
        Assert.InRange(events[^1].Result.AngleDegrees, 0.01, 4 * 0.58); // at most four steps of 0.01 from the start
        Assert.Equal(TrainingStart.Photos, concept.Settings.Start);
        Assert.Equal(await _server.VectorsAsync("whole"), await _server.VectorsAsync("short"));
    }

    [Fact]
    public async Task Train_FromPhotosOnAModelWithoutPhotoEncoder_NamesTheField() =>
        Assert.Equal(
            ["options.start"],
            await Refusal.Fields(() =>
                _server.TrainAsync(FromPhotos("x", steps: 1, request => request.Options.Model = "tiny-sd15"))
            )
        );

    [Fact]
    public async Task Train_StartThatIsUnknown_NamesTheField() =>
        Assert.Equal(
            ["options.start"],
            await Refusal.Fields(() =>
                _server.TrainAsync(FromPhotos("x", steps: 1, request => request.Options.Start = (TrainingStart)9))
            )
        );

    private static TrainRequest FromPhotos(string name, int steps, Action<TrainRequest>? change = null) =>
        TestServer.Request(name, steps, request =>
        {
            request.Options.Model = "tiny";
            request.Options.Start = TrainingStart.Photos;
            request.Options.Placeholder = $"<{name}>";
            request.Options.ClearInitializer();
            change?.Invoke(request);
        });
}
