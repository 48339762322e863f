using Dti.Server.Configuration;
using Dti.Server.Jobs;
using Dti.Server.ObjectStorage;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dti.Server.Tests.Clusters;

/// <summary>Two gateways and a worker that share nothing but a database and a bucket of S3.</summary>
/// <param name="kind">postgres or redis.</param>
public abstract class StorageFixture(string kind) : ClusterFixture(kind)
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
public abstract class StorageTests(StorageFixture fixture)
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

    [Fact]
    public async Task Cleanup_OfTheFirstHost_DeletesWhatNoHostNeeds()
    {
        var trained = await First.TrainAsync(TestServer.Request("kept", steps: 4));
        var jobId = trained[0].Accepted.JobId;
        var store = First.Services.GetRequiredService<IObjectStore>();
        string[] leftovers = ["concepts/files/0", "runs/files/0", "snapshots/gone/0", $"jobs/{jobId}/request.binpb"];
        foreach (var key in leftovers)
        {
            await store.PutAsync(key, new byte[1], TestContext.Current.CancellationToken);
        }

        var later = DateTimeOffset.UtcNow + TimeSpan.FromHours(2);
        while (!await Cleanup(First).RunAsync(later))
        {
            await Task.Delay(100, TestContext.Current.CancellationToken); // the hosts have not announced themselves yet
        }

        Assert.False(await Cleanup(Second).RunAsync(later));
        foreach (var key in leftovers)
        {
            Assert.Null(await store.GetAsync(key, TestContext.Current.CancellationToken));
        }

        Assert.NotEmpty(await Second.VectorsAsync("kept"));
        Assert.Equal(4, (await Second.Jobs.GetAsync(new JobServiceGetRequest { JobId = jobId })).Job.Step);
        Assert.NotEmpty(await store.ListAsync("snapshots/kept/", TestContext.Current.CancellationToken));
    }

    private static StorageCleanup Cleanup(TestServer host) =>
        Assert.Single(host.Services.GetServices<IHostedService>().OfType<StorageCleanup>());
}

/// <inheritdoc cref="StorageFixture"/>
public sealed class PostgresStorageFixture() : StorageFixture("postgres");

/// <inheritdoc cref="StorageFixture"/>
public sealed class RedisStorageFixture() : StorageFixture("redis");

/// <inheritdoc/>
public sealed class PostgresStorageTests(PostgresStorageFixture fixture)
    : StorageTests(fixture),
        IClassFixture<PostgresStorageFixture>;

/// <inheritdoc/>
public sealed class RedisStorageTests(RedisStorageFixture fixture)
    : StorageTests(fixture),
        IClassFixture<RedisStorageFixture>;
