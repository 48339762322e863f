using System.Text;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.ObjectStorage;
using Dti.Server.Tests.Infrastructure;

namespace Dti.Server.Tests.Clusters;

/// <summary>The storage of a cluster, the same for a folder and for S3.</summary>
public abstract class ObjectStoreTests
{
    private protected abstract IObjectStore Store { get; }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_AfterPut_ReturnsTheNewestContent()
    {
        await PutAsync("jobs/1/request", "first");
        await PutAsync("jobs/1/request", "second, which is longer");

        Assert.Equal("second, which is longer", await GetAsync("jobs/1/request"));
        Assert.Null(await GetAsync("jobs/1"));
        Assert.Null(await GetAsync("jobs/2/request"));
    }

    [Fact]
    public async Task Put_Empty_IsThere()
    {
        await PutAsync("empty/one", "");

        Assert.Equal("", await GetAsync("empty/one"));
        Assert.Equal(0, Assert.Single(await Store.ListAsync("empty/", Cancelled)).Length);
    }

    [Fact]
    public async Task List_APrefix_GivesItsObjectsByKey()
    {
        foreach (var key in new[] { "logs/a-2", "logs/a-10", "logs/a-1", "logs/b-1", "logs/deep/a-1", "log" })
        {
            await PutAsync(key, key);
        }

        Assert.Equal(["logs/a-1", "logs/a-10", "logs/a-2"], await KeysAsync("logs/a-"));
        Assert.Equal(["logs/a-1", "logs/a-10", "logs/a-2", "logs/b-1", "logs/deep/a-1"], await KeysAsync("logs/"));
        Assert.Empty(await KeysAsync("nothing/"));
        Assert.InRange(
            (await Store.ListAsync("logs/b", Cancelled))[0].Modified,
            DateTimeOffset.UtcNow.AddMinutes(-5),
            DateTimeOffset.UtcNow.AddMinutes(5)
        );
    }

    [Fact]
    public async Task Delete_OfAnObject_LeavesTheOthers()
    {
        await PutAsync("gone/a", "a");
        await PutAsync("gone/b", "b");

        await Store.DeleteAsync("gone/a", Cancelled);
        await Store.DeleteAsync("gone/a", Cancelled);

        Assert.Equal(["gone/b"], await KeysAsync("gone/"));
        await Store.DeleteAsync("gone/b", Cancelled);
        await PutAsync("gone/c", "c");
        Assert.Equal(["gone/c"], await KeysAsync("gone/"));
    }

    [Fact]
    public async Task EnsureReady_OfAnotherService_IsRefused()
    {
        await Store.EnsureReadyAsync("dti", Cancelled);
        await Store.EnsureReadyAsync("dti", Cancelled);

        var refused = await Assert.ThrowsAsync<DtiException>(() => Store.EnsureReadyAsync("other", Cancelled));

        Assert.Contains("belongs to the service 'dti'", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await KeysAsync("probes/"));
    }

    private protected Task PutAsync(string key, string content) =>
        Store.PutAsync(key, Encoding.UTF8.GetBytes(content), Cancelled);

    private protected async Task<string?> GetAsync(string key) =>
        await Store.GetAsync(key, Cancelled) is { } content ? Encoding.UTF8.GetString(content) : null;

    private async Task<IEnumerable<string>> KeysAsync(string prefix) =>
        (await Store.ListAsync(prefix, Cancelled)).Select(found => found.Key);
}

/// <summary>A folder that all hosts mount.</summary>
public sealed class FolderObjectStoreTests : ObjectStoreTests, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-storage-");

    private protected override IObjectStore Store => new FolderObjectStore(_folder.FullName);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Put_WhileOthersRead_IsSeenAsAWhole()
    {
        var contents = Enumerable.Range(0, 20).Select(i => new string((char)('a' + i), 100_000)).ToArray();
        await PutAsync("whole/one", contents[0]);
        using var end = new CancellationTokenSource();
        var reading = Task.Run(
            async () =>
            {
                while (!end.IsCancellationRequested)
                {
                    Assert.Contains(await GetAsync("whole/one"), contents);
                }
            },
            TestContext.Current.CancellationToken
        );

        foreach (var content in contents)
        {
            await PutAsync("whole/one", content);
        }

        await end.CancelAsync();
        await reading;
    }

    [Fact]
    public async Task Put_FolderThatIsNotMounted_IsUnavailable()
    {
        var store = new FolderObjectStore(Path.Combine(_folder.FullName, "mount"));

        var refused = await Assert.ThrowsAsync<DtiException>(() =>
            store.PutAsync("jobs/1", new byte[1], TestContext.Current.CancellationToken)
        );

        Assert.Equal((ErrorKind.Unavailable, StorageErrors.Unavailable), (refused.Kind, refused.Reason));
        Assert.Empty(_folder.EnumerateFileSystemInfos());
    }
}

/// <summary>A bucket for all tests of S3.</summary>
public sealed class S3Fixture : MachineFixture
{
    private S3Server? _server;

    internal S3Server Server => Started(_server);

    protected override async Task StartAsync() => _server = await S3Server.StartNewAsync();

    protected override Task StopAsync() => _server?.DisposeAsync().AsTask() ?? Task.CompletedTask;
}

/// <summary>S3, with s3rver.</summary>
public sealed class S3ObjectStoreTests(S3Fixture fixture) : ObjectStoreTests, IClassFixture<S3Fixture>, IDisposable
{
    private readonly IObjectStore _store = Open(cluster => cluster, fixture);

    private protected override IObjectStore Store => _store;

    public void Dispose() => (_store as IDisposable)?.Dispose();

    [Fact]
    public async Task List_SeveralPages_GivesAll()
    {
        for (var i = 0; i < 7; i++)
        {
            await PutAsync($"many/{i}", "");
        }

        ((S3ObjectStore)Store).PageSize = 3;

        Assert.Equal(7, (await Store.ListAsync("many/", TestContext.Current.CancellationToken)).Count);
    }

    [Fact]
    public async Task EnsureReady_NoSuchBucket_SaysSo()
    {
        var refused = await RefusalAsync(cluster => cluster with { Storage = "s3://absent/dti" });

        Assert.Equal(ErrorKind.FailedPrecondition, refused.Kind);
        Assert.Contains("there is no bucket 'absent'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnsureReady_UnknownKey_SaysSo()
    {
        var refused = await RefusalAsync(cluster => cluster with { StorageKeyId = "NOBODY" });

        Assert.Equal(ErrorKind.FailedPrecondition, refused.Kind);
        Assert.Contains("access to the bucket", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnsureReady_NobodyListens_IsUnavailable()
    {
        var port = LocalService.FreePort();

        var refused = await RefusalAsync(cluster => cluster with { StorageEndpoint = $"http://127.0.0.1:{port}" });

        Assert.Equal((ErrorKind.Unavailable, StorageErrors.Unavailable), (refused.Kind, refused.Reason));
    }

    private async Task<DtiException> RefusalAsync(Func<ClusterOptions, ClusterOptions> change)
    {
        var store = Open(change, fixture);
        using var closed = store as IDisposable;
        return await Assert.ThrowsAsync<DtiException>(() =>
            store.EnsureReadyAsync("dti", TestContext.Current.CancellationToken)
        );
    }

    private static IObjectStore Open(Func<ClusterOptions, ClusterOptions> change, S3Fixture fixture) =>
        ObjectStores.Open(
            change(
                fixture.Server.In(new ClusterOptions { Connection = "localhost:6379" }, Guid.NewGuid().ToString("N"))
            )
        )!;
}
