using Grpc.Core;

namespace Dti.ClientSdk.Tests;

public class GenerationTests(ServerFixture server)
{
    private static readonly GenerationOptions _quick = new()
    {
        Prompt = "a photo",
        Width = 64,
        Height = 64,
        Steps = 2,
        Seed = 5,
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateAsync_TwoPictures_GivesSettingsProgressPicturesResult()
    {
        await using var client = new DtiClient(server.Address);

        var updates = await client
            .GenerateAsync(_quick with { ImageCount = 2, Format = PictureFormat.Jpeg }, null, Cancellation)
            .ToListAsync(Cancellation);

        var accepted = Assert.IsType<GenerationAccepted>(updates[0]);
        Assert.Equal(
            (64, 64, 2, 2, 5UL),
            (
                accepted.Settings.Width,
                accepted.Settings.Height,
                accepted.Settings.Steps,
                accepted.Settings.ImageCount,
                accepted.Settings.Seed
            )
        );
        var pictures = updates.OfType<GeneratedPicture>().Select(update => update.Picture).ToList();
        Assert.Equal([0, 1], pictures.Select(picture => picture.Index));
        Assert.All(pictures, picture =>
            Assert.Equal(
                ("image/jpeg", ".jpg", 64, 64),
                (picture.MediaType, picture.FileExtension, picture.Width, picture.Height)
            )
        );
        var last = updates.OfType<SamplingProgress>().Last();
        Assert.Equal(last.TotalSteps, last.Step);
        Assert.Equal(2, Assert.IsType<GenerationResult>(updates[^1]).Pictures);
    }

    [Fact]
    public async Task GenerateAsync_PreviewEvery_GivesSmallPicturesOnTheWay()
    {
        await using var client = new DtiClient(server.Address);

        var updates = await client
            .GenerateAsync(_quick with { Steps = 60, PreviewEvery = 2 }, null, Cancellation)
            .ToListAsync(Cancellation);

        Assert.Equal(2, Assert.IsType<GenerationAccepted>(updates[0]).Settings.PreviewEvery);
        var shown = updates.OfType<SamplingProgress>().Where(step => step.Preview is not null).ToList();
        Assert.NotEmpty(shown);
        Assert.All(shown, step =>
            Assert.Equal(
                (0, "image/png", 8, 8),
                (step.Step % 2, step.Preview!.MediaType, step.Preview.Width, step.Preview.Height)
            )
        );
    }

    [Fact]
    public async Task GenerateAsync_SameSeed_SamePicture()
    {
        await using var client = new DtiClient(server.Address);

        var first = await PictureAsync(client, _quick);
        var second = await PictureAsync(client, _quick);
        var other = await PictureAsync(client, _quick with { Seed = 6 });

        Assert.True(first.Data.Span.SequenceEqual(second.Data.Span));
        Assert.False(first.Data.Span.SequenceEqual(other.Data.Span));
    }

    [Fact]
    public async Task GenerateAsync_TokenCancelled_StopsTheJob()
    {
        await using var client = new DtiClient(server.Address);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var jobId = "";

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in client.GenerateAsync(_quick with { Steps = 1000 }, null, leave.Token))
            {
                jobId = update is GenerationAccepted accepted ? accepted.JobId : jobId;
                if (update is SamplingProgress)
                    await leave.CancelAsync();
            }
        });

        Job job;
        do job = await client.GetJobAsync(jobId, Cancellation);
        while (job.Ended is null);
        Assert.Equal(JobState.Cancelled, job.State);
    }

    [Fact]
    public async Task GenerateAsync_UnknownConcept_IsNotFound()
    {
        await using var client = new DtiClient(server.Address);

        var error = await Assert.ThrowsAsync<DtiClientException>(() =>
            PictureAsync(client, _quick with { Prompt = "a photo of <nobody>" })
        );

        Assert.Equal(StatusCode.NotFound, error.Status);
        Assert.Contains("nobody", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InterpolateAsync_TwoConcepts_WalksFromOneToTheOther()
    {
        await using var client = new DtiClient(server.Address);
        await client.LearnAsync("here", Cancellation);
        await client.LearnAsync("there", Cancellation);

        var updates = await client
            .InterpolateAsync(
                new InterpolateRequest("here", "there")
                {
                    Frames = 3,
                    Easing = Easing.Linear,
                    Options = _quick with { Prompt = "" },
                },
                null,
                Cancellation
            )
            .ToListAsync(Cancellation);

        var accepted = Assert.IsType<InterpolationAccepted>(updates[0]);
        Assert.Equal(
            ("here", "there", 3, Easing.Linear),
            (accepted.FromConcept, accepted.ToConcept, accepted.Frames, accepted.Easing)
        );
        Assert.Single(accepted.AnglesDegrees);
        Assert.Equal([0, 0.5, 1], updates.OfType<GeneratedPicture>().Select(update => update.Picture.T!.Value));
        Assert.Equal(3, Assert.IsType<GenerationResult>(updates[^1]).Pictures);
    }

    private static async Task<Picture> PictureAsync(DtiClient client, GenerationOptions options) =>
        Assert
            .Single(
                (
                    await client.GenerateAsync(options, null, Cancellation).ToListAsync(Cancellation)
                ).OfType<GeneratedPicture>()
            )
            .Picture;
}
