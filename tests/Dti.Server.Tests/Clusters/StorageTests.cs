using Dti.Server.Configuration;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Tests.Clusters;

/// <summary>Two gateways and a worker that share nothing but Redis and a bucket of S3.</summary>
public sealed class StorageFixture() : ClusterFixture("redis")
{
    private S3Server? _storage;

    internal S3Server Storage => Started(_storage);

    protected override async Task StartAsync()
    {
        _storage = await S3Server.StartNewAsync();
        await base.StartAsync();
    }

    protected override async Task StopAsync()
    {
        await base.StopAsync();
        if (_storage is not null)
        {
            await _storage.DisposeAsync();
        }
    }

    private protected override ClusterOptions Of(ClusterOptions cluster) => Storage.In(cluster, "cluster");
}

/// <inheritdoc cref="StorageFixture"/>
public sealed class StorageTests(StorageFixture fixture) : IClassFixture<StorageFixture>
{
    private TestServer First => fixture.First;

    private TestServer Second => fixture.Second;

    [Fact]
    public async Task Stop_StorageThenWorker_AnotherWorkerContinuesWithTheSameResult()
    {
        await First.TrainAsync(TestServer.Request("unbroken", steps: 60));
        using var training = First.Dti.Train(
            TestServer.Request("moved", steps: 60),
            cancellationToken: TestContext.Current.CancellationToken
        );
        await training.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
        var jobId = training.ResponseStream.Current.Accepted.JobId;
        await Second.UntilAsync(jobId, job => job.Step > 5);

        await fixture.Storage.StopAsync(); // no running job stops
        var refused = await Assert.ThrowsAsync<RpcException>(() =>
            First.TrainAsync(TestServer.Request("refused", steps: 1))
        );
        await fixture.Storage.StartAsync();
        await fixture.ReplaceWorkerAsync(() => Second.UntilAsync(jobId, job => job.State == JobState.Queued));
        var steps = new List<int>();
        await foreach (var happened in training.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            steps.AddRange(happened.Progress is { } progress ? [progress.Step] : []);
        }

        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        Assert.Equal(Enumerable.Range(1, 60), steps);
        Assert.Equal(await First.VectorsAsync("unbroken"), await Second.VectorsAsync("moved"));
        Assert.Equal(
            await First.PictureAsync(TestServer.Draw("a photo of <unbroken>")),
            await Second.PictureAsync(TestServer.Draw("a photo of <moved>"))
        );
    }

    [Fact]
    public async Task Train_ThroughOneGateway_IsSeenThroughTheOther()
    {
        var trained = await First.TrainAsync(TestServer.Request("shared", steps: 4));

        Assert.NotNull(trained[^1].Result);
        var concepts = await Second.Concepts.ListAsync(new ConceptServiceListRequest());
        Assert.Contains("shared", concepts.Concepts.Select(concept => concept.Name));
        var concept = (await Second.Concepts.GetAsync(new ConceptServiceGetRequest { Name = "shared" })).Concept;
        Assert.NotEmpty(concept.SummaryPng);
        await Second.Concepts.DeleteAsync(new ConceptServiceDeleteRequest { Name = "shared" });
        var left = await First.Concepts.ListAsync(new ConceptServiceListRequest());
        Assert.DoesNotContain("shared", left.Concepts.Select(concept => concept.Name));
    }
}
