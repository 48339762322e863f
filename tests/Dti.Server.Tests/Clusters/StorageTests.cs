using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Tests.Clusters;

/// <summary>Two gateways and a worker that share nothing but Redis and a bucket of S3.</summary>
public sealed class StorageFixture : MachineFixture
{
    private Cluster? _cluster;
    private S3Server? _storage;
    private TestServer? _first;
    private TestServer? _second;
    private TestServer? _worker;

    internal S3Server Storage => Started(_storage);

    internal TestServer First => Started(_first);

    internal TestServer Second => Started(_second);

    internal TestServer Worker => Started(_worker);

    protected override async Task StartAsync()
    {
        _storage = await S3Server.StartNewAsync();
        _cluster = await Cluster.StartAsync("redis");
        _first = Start("gateway", "gateway-1");
        _second = Start("gateway", "gateway-2");
        _worker = Start("worker", "worker-1");
    }

    /// <summary>Stops the worker as a SIGTERM does, and starts another one.</summary>
    /// <param name="between">Done while there is none.</param>
    internal async Task ReplaceWorkerAsync(Func<Task> between)
    {
        await _cluster!.StopAsync(Worker);
        await between();
        _worker = Start("worker", "worker-2");
    }

    protected override async Task StopAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        if (_storage is not null)
        {
            await _storage.DisposeAsync();
        }
    }

    private TestServer Start(string role, string name) =>
        _cluster!.Start(role, name, cluster => Storage.In(cluster, "cluster"));
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
