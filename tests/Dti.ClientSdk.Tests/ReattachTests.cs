using Dti.Tests;

namespace Dti.ClientSdk.Tests;

public class ReattachTests(ServerFixture server)
{
    private static readonly DtiClientOptions _hasty = new() { RetryDelay = TimeSpan.FromMilliseconds(5) };

    [Fact]
    public async Task TrainAsync_ConnectionCutAtEveryEvent_GivesTheFullLogOnce()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var proxy = new CuttingProxy(server.Address);
        await using var client = new DtiClient(proxy.Address, _hasty);
        await using var direct = new DtiClient(server.Address);

        var seen = new List<TrainingUpdate>();
        await foreach (
            var update in client.TrainAsync(
                await ServerFixture.RequestAsync("cut", ServerFixture.Quick(6, previewEvery: 2)),
                null,
                cancellation
            )
        )
        {
            seen.Add(update);
            if (update is not TrainingResult)
                proxy.Cut();
        }

        var whole = new List<TrainingUpdate>();
        await foreach (
            var update in direct.WatchAsync(
                Assert.IsType<TrainingAccepted>(seen[0]).JobId,
                cancellationToken: cancellation
            )
        )
            whole.Add(update);
        Assert.True(proxy.Connections > 1);
        Assert.Equal(Keys(whole), Keys(seen));
        Assert.Equal(6, seen.OfType<TrainingProgress>().Count());
        Assert.Equal(3, seen.OfType<TrainingPreview>().Count());
    }

    [Fact]
    public async Task TrainAsync_ServerAcceptsConnectionsAndStaysSilent_GoesOnWhenItAnswers()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var proxy = new CuttingProxy(server.Address);
        await using var client = new DtiClient(proxy.Address, _hasty);

        var seen = new List<TrainingUpdate>();
        await foreach (
            var update in client.TrainAsync(
                await ServerFixture.RequestAsync("silent", ServerFixture.Quick(4)),
                null,
                cancellation
            )
        )
        {
            seen.Add(update);
            if (update is TrainingAccepted)
            {
                proxy.IsSilent = true;
                proxy.Cut();
            }
            else if (update is TrainingConnectionLost)
                proxy.IsSilent = false; // those that were taken stay silent
        }

        Assert.Single(seen.OfType<TrainingConnectionLost>());
        Assert.Equal([1, 2, 3, 4], seen.OfType<TrainingProgress>().Select(step => step.Step));
        Assert.IsType<TrainingResult>(seen[^1]);
        Assert.Contains("silent", (await client.ListConceptsAsync(cancellation)).Select(concept => concept.Name));
    }

    [Fact]
    public async Task GenerateAsync_ConnectionCutAtEveryImage_GivesEachImageOnce()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var proxy = new CuttingProxy(server.Address);
        await using var client = new DtiClient(proxy.Address, _hasty);
        await using var direct = new DtiClient(server.Address);
        var options = new GenerationOptions
        {
            Prompt = "a cat",
            Width = 64,
            Height = 64,
            Steps = 2,
            ImageCount = 3,
        };

        var seen = new List<GenerationUpdate>();
        await foreach (var update in client.GenerateAsync(options, null, cancellation))
        {
            seen.Add(update);
            if (update is GeneratedPicture)
                proxy.Cut();
        }

        var accepted = seen.OfType<GenerationAccepted>().ToList();
        var whole = await direct
            .GenerateAsync(options with { Seed = accepted[0].Settings.Seed }, null, cancellation)
            .ToListAsync(cancellation);
        Assert.Equal(Images(whole), Images(seen));
        Assert.Equal(Enumerable.Range(1, 6), seen.OfType<SamplingProgress>().Select(step => step.Step));
        Assert.IsType<GenerationResult>(seen[^1]);
        Assert.Equal(accepted.Count, accepted.Select(first => first.JobId).Distinct().Count());
        Assert.All(accepted, first => Assert.Equal(accepted[0].Settings, first.Settings));

        static IEnumerable<string> Images(IEnumerable<GenerationUpdate> updates) =>
            updates
                .OfType<GeneratedPicture>()
                .Select(image => $"{image.Picture.Index} {Convert.ToHexString(image.Picture.Data.Span)}");
    }

    [Fact]
    public async Task GenerateAsync_ServerAcceptsConnectionsAndStaysSilent_SaysSoAndGoesOnWhenItAnswers()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var proxy = new CuttingProxy(server.Address);
        await using var client = new DtiClient(proxy.Address, _hasty);
        var options = new GenerationOptions
        {
            Prompt = "a cat",
            Width = 64,
            Height = 64,
            Steps = 2,
        };

        var seen = new List<GenerationUpdate>();
        await foreach (var update in client.GenerateAsync(options, null, cancellation))
        {
            seen.Add(update);
            if (update is GenerationAccepted && seen.Count == 1)
            {
                proxy.IsSilent = true;
                proxy.Cut();
            }
            else if (update is GenerationConnectionLost)
                proxy.IsSilent = false; // those that were taken stay silent
        }

        Assert.Single(seen.OfType<GenerationConnectionLost>());
        Assert.Single(seen.OfType<GeneratedPicture>());
        Assert.IsType<GenerationResult>(seen[^1]);
    }

    [Fact]
    public async Task GenerateAsync_NoTimeToWait_ALostConnectionIsAnError()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var proxy = new CuttingProxy(server.Address);
        await using var client = new DtiClient(proxy.Address, _hasty with { ReconnectTimeout = TimeSpan.Zero });

        var options = new GenerationOptions
        {
            Prompt = "a cat",
            Width = 64,
            Height = 64,
            Steps = 1000,
        };

        var error = await Assert.ThrowsAsync<DtiClientException>(async () =>
        {
            await foreach (var update in client.GenerateAsync(options, null, cancellation))
            {
                if (update is GenerationAccepted)
                    proxy.Cut();
            }
        });

        Assert.Equal(Grpc.Core.StatusCode.Unavailable, error.Status);
    }

    [Fact]
    public async Task CancelJobAsync_ServerIsSilent_IsDeliveredWhenItAnswers()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var proxy = new CuttingProxy(server.Address) { IsSilent = true };
        await using var client = new DtiClient(proxy.Address, _hasty);
        await using var direct = new DtiClient(server.Address);
        await using var updates = direct
            .TrainAsync(await ServerFixture.RequestAsync("away", ServerFixture.Quick(100_000)), null, cancellation)
            .GetAsyncEnumerator(cancellation);
        await updates.MoveNextAsync();
        var job = Assert.IsType<TrainingAccepted>(updates.Current).JobId;

        var cancelling = client.CancelJobAsync(job, TimeSpan.FromMinutes(1), cancellation);
        while (proxy.Connections < 2)
            await Task.Delay(20, cancellation);
        proxy.IsSilent = false;

        await cancelling;
        while ((await direct.GetJobAsync(job, cancellation)).State != JobState.Cancelled)
            await Task.Delay(20, cancellation);
    }

    [Fact]
    public async Task WatchAsync_FromStep_LeavesOutWhatWasBefore()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var client = new DtiClient(server.Address);
        var (accepted, _) = await client.LearnAsync("watched", cancellation);

        var steps = new List<int>();
        await foreach (var update in client.WatchAsync(accepted.JobId, 3, null, cancellation))
        {
            if (update is TrainingProgress progress)
                steps.Add(progress.Step);
        }

        Assert.Equal([3, 4], steps);
    }

    // Places in the queue are left out of a replay where they no longer matter, and how long the waits are is up to the
    // machine; pictures compare by what identifies them.
    private static IEnumerable<string> Keys(IEnumerable<TrainingUpdate> updates) =>
        updates
            .Where(update => update is not (TrainingQueued or TrainingConnectionLost))
            .Select(update =>
                update switch
                {
                    TrainingAccepted accepted => $"accepted {accepted.JobId}",
                    TrainingPreview preview =>
                        $"preview {preview.Step} {preview.Picture.Index} {Convert.ToHexString(preview.Picture.Data.Span)}",
                    _ => update.ToString(),
                }
            );
}
