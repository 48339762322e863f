using Grpc.Core;

namespace Dti.ClientSdk.Tests;

public class TrainingTests(ServerFixture server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TrainAsync_Photos_GivesSettingsThenStepsThenResult()
    {
        await using var client = new DtiClient(server.Address);

        var updates = await client
            .TrainAsync(
                await ServerFixture.RequestAsync("steps", ServerFixture.Quick(4, previewEvery: 4)),
                null,
                Cancellation
            )
            .ToListAsync(Cancellation);

        var accepted = Assert.IsType<TrainingAccepted>(updates[0]);
        Assert.Equal(
            ("tiny-sd15", "<steps>", "cat", 4, 64, 1UL),
            (
                accepted.Settings.Model,
                accepted.Settings.Placeholder,
                accepted.Settings.Initializer,
                accepted.Settings.Steps,
                accepted.Settings.Resolution,
                accepted.Settings.Seed
            )
        );
        Assert.Equal(2, accepted.PhotoCount);
        Assert.Equal([1, 2, 3, 4], updates.OfType<TrainingProgress>().Select(progress => progress.Step));
        Assert.All(updates.OfType<TrainingProgress>(), progress =>
            Assert.Equal(accepted.Settings.MagnitudeValue, progress.Norm, 1e-4)
        );
        var preview = Assert.Single(updates.OfType<TrainingPreview>());
        Assert.Equal((4, "image/png"), (preview.Step, preview.Picture.MediaType));
        Assert.Equal(0x89, preview.Picture.Data.Span[0]);
        Assert.Equal(
            ("steps", "<steps>", 4),
            Assert.IsType<TrainingResult>(updates[^1]) switch
            {
                var result => (result.Name, result.Placeholder, result.Steps),
            }
        );
    }

    [Fact]
    public async Task TrainAsync_SameRequestIdTwice_AttachesToTheSameJob()
    {
        await using var client = new DtiClient(server.Address);
        var request = await ServerFixture.RequestAsync("twice") with { RequestId = Guid.NewGuid().ToString("N") };

        var first = await client.TrainAsync(request, null, Cancellation).ToListAsync(Cancellation);
        var second = await client.TrainAsync(request, null, Cancellation).ToListAsync(Cancellation);

        var (started, attached) = (
            Assert.IsType<TrainingAccepted>(first[0]),
            Assert.IsType<TrainingAccepted>(second[0])
        );
        Assert.Equal(started.JobId, attached.JobId);
        Assert.Equal((false, true), (started.Attached, attached.Attached));
        Assert.Equal(first.OfType<TrainingProgress>(), second.OfType<TrainingProgress>());
    }

    [Fact]
    public async Task TrainAsync_SeveralWrongFields_NamesThemAll()
    {
        await using var client = new DtiClient(server.Address);
        var request = await ServerFixture.RequestAsync(
            "wrong",
            ServerFixture.Quick() with
            {
                Steps = 0,
                LearningRate = double.NaN,
                Resolution = 65,
            }
        );

        var error = await Assert.ThrowsAsync<DtiClientException>(async () =>
            await client.TrainAsync(request, null, Cancellation).ToListAsync(Cancellation)
        );

        Assert.Equal(StatusCode.InvalidArgument, error.Status);
        Assert.Equal(
            ["options.learning_rate", "options.resolution", "options.steps"],
            error.FieldViolations.Select(violation => violation.Field).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task TrainAsync_TokenCancelled_LeavesTheJobAndCancelJobStopsIt()
    {
        await using var client = new DtiClient(server.Address);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var jobId = "";

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (
                var update in client.TrainAsync(
                    await ServerFixture.RequestAsync("left", ServerFixture.Quick(100_000)),
                    null,
                    leave.Token
                )
            )
            {
                jobId = update is TrainingAccepted accepted ? accepted.JobId : jobId;
                if (update is TrainingProgress)
                    await leave.CancelAsync();
            }
        });

        Assert.Equal(JobState.Running, (await client.GetJobAsync(jobId, Cancellation)).State);
        await client.CancelJobAsync(jobId, Cancellation);
        var error = await Assert.ThrowsAsync<DtiClientException>(async () =>
            await client.WatchAsync(jobId, int.MaxValue, null, Cancellation).ToListAsync(Cancellation)
        );
        Assert.Equal(StatusCode.Cancelled, error.Status);
        Assert.Contains(await client.ListJobsAsync([JobState.Cancelled], 100, Cancellation), job =>
            job.JobId == jobId && job.Kind == JobKind.Train
        );
    }

    [Fact]
    public async Task WatchAsync_DeadlinePasses_SaysSo()
    {
        await using var client = new DtiClient(server.Address);

        var error = await Assert.ThrowsAsync<DtiClientException>(async () =>
            await client
                .TrainAsync(
                    await ServerFixture.RequestAsync("late", ServerFixture.Quick(100_000)) with
                    {
                        CancelOnDisconnect = true,
                    },
                    DateTime.UtcNow.AddSeconds(1),
                    Cancellation
                )
                .ToListAsync(Cancellation)
        );

        Assert.Equal(StatusCode.DeadlineExceeded, error.Status);
    }

    [Fact]
    public async Task WatchAsync_UnknownJob_IsNotFoundWithReason()
    {
        await using var client = new DtiClient(server.Address);

        var error = await Assert.ThrowsAsync<DtiClientException>(async () =>
            await client.WatchAsync("nobody", cancellationToken: Cancellation).ToListAsync(Cancellation)
        );

        Assert.Equal((StatusCode.NotFound, "JOB_NOT_FOUND"), (error.Status, error.Reason));
    }

    [Fact]
    public async Task TrainAsync_NobodyListens_IsUnavailable()
    {
        await using var client = new DtiClient("127.0.0.1:1", new DtiClientOptions { MaxRetries = 0 });

        var error = await Assert.ThrowsAsync<DtiClientException>(async () =>
            await client
                .TrainAsync(await ServerFixture.RequestAsync("nobody"), null, Cancellation)
                .ToListAsync(Cancellation)
        );

        Assert.Equal(StatusCode.Unavailable, error.Status);
    }
}
