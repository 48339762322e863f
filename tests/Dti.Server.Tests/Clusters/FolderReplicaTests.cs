using Dti.Engine;
using Dti.Engine.Concepts;
using Dti.Server.Configuration;
using Dti.Server.Libraries;
using Dti.Server.ObjectStorage;
using Dti.Server.Security;
using Dti.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dti.Server.Tests.Clusters;

/// <summary>Libraries of several hosts that share a storage, each with a separate local copy.</summary>
public sealed class FolderReplicaTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("dti-replicas-");
    private readonly ChangeLogOfOneProcess _log;
    private readonly List<IDisposable> _hosts = [];
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    public FolderReplicaTests() => _log = new ChangeLogOfOneProcess(Store);

    public void Dispose()
    {
        _hosts.ForEach(host => host.Dispose());
        _root.Delete(recursive: true);
    }

    private FolderObjectStore Store => new(_root.CreateSubdirectory("storage").FullName);

    [Fact]
    public void Save_OnOneHost_IsSeenOnTheOthers()
    {
        var (first, second) = (Open("first"), Open("second"));

        Save(first, "cat", value: 1, thumbnail: [1, 2, 3]);

        Assert.Equal(["cat"], Names(second));
        Assert.Equal(1, Value(second, "cat"));
        Assert.Equal((byte[])[1, 2, 3], second.Get("cat").ThumbnailPng.ToByteArray());
    }

    [Fact]
    public void Save_OnBothHosts_KeepsBothAndEarlierVersions()
    {
        var (first, second) = (Open("first"), Open("second"));
        for (var value = 1; value <= 3; value++)
        {
            Save(first, "cat", value);
            Save(second, "cat", 10 * value);
        }

        Assert.Equal(30, Value(first, "cat"));
        var versions = first.Versions("cat").Select(version => version.Version).ToList();
        Assert.Equal(
            [3, 20, 2, 10, 1],
            versions.Select(version => (int)first.Load("cat", version).Encoders[0].Magnitudes[0])
        );
        Assert.Equal(versions, second.Versions("cat").Select(version => version.Version));
    }

    [Fact]
    public async Task Save_OnFourHostsAtOnce_LosesNoneAndAllAgree()
    {
        var hosts = Enumerable.Range(0, 4).Select(i => Open($"host-{i}")).ToList();

        await Task.WhenAll(
            hosts.Select(
                (host, i) =>
                    Task.Run(() =>
                    {
                        for (var concept = 0; concept < 5; concept++)
                        {
                            Save(host, $"cat-{i}-{concept}", value: 1);
                            Save(host, "contended", value: i + 1);
                        }
                    })
            )
        );

        Assert.All(hosts, host => Assert.Equal(21, Names(host).Count));
        Assert.All(hosts, host => Assert.Equal(Value(hosts[0], "contended"), Value(host, "contended")));
        Assert.True(_log.Conflicts > 0, "the hosts did not get in each other's way");
    }

    [Fact]
    public void Save_AnotherHostReplacesWhatIsNotFetchedYet_BeginsAgain()
    {
        var (first, second) = (Open("first"), Open("second"));
        Save(first, "cat", value: 1, thumbnail: [1]);
        var attempts = 0;

        Save(second, "cat", value: 3, admit: () =>
        {
            if (attempts++ == 0)
            {
                Save(first, "cat", value: 2); // deletes the contents that this attempt would keep
            }
        });

        Assert.Equal(2, attempts);
        Assert.Equal(3, Value(first, "cat"));
        Assert.Equal(
            [2, 1],
            first.Versions("cat").Select(version => (int)first.Load("cat", version.Version).Encoders[0].Magnitudes[0])
        );
    }

    [Fact]
    public void Save_AnswerIsLost_IsSavedOnce()
    {
        var (first, second) = (Open("first"), Open("second"));
        _log.LoseNextAnswer();

        Save(first, "cat", value: 1);

        Assert.Equal(1, Value(second, "cat"));
        Assert.Empty(second.Versions("cat"));
        Assert.Equal(1, _log.Number("concepts"));
    }

    [Fact]
    public void Delete_OnOneHost_LeavesNothingAnywhere()
    {
        var (first, second) = (Open("first"), Open("second"));
        Save(first, "cat", value: 1);
        Save(first, "cat", value: 2);
        Assert.Equal(2, Value(second, "cat"));

        second.Delete("cat", _ => { });

        Assert.Empty(Names(first));
        Assert.Empty(first.Versions("cat"));
        Assert.Empty(Store.ListAsync("concepts/files/", TestContext.Current.CancellationToken).WaitForResult());
        Assert.Equal(0, first.BytesOf("local"));
    }

    [Fact]
    public void Open_AgainOrOnANewHost_HasWhatOthersChangedMeanwhile()
    {
        var (first, second) = (Open("first"), Open("second"));
        Save(first, "cat", value: 1);
        Assert.Equal(1, Value(second, "cat"));
        second.Dispose();
        Save(first, "cat", value: 2);
        Save(first, "dog", value: 3);

        foreach (var host in new[] { Open("second"), Open("third") })
        {
            Assert.Equal(["cat", "dog"], Names(host));
            Assert.Equal((2, 3), (Value(host, "cat"), Value(host, "dog")));
        }
    }

    [Fact]
    public void Open_NewHostAfterACheckpoint_ReadsOnlyWhatCameAfterIt()
    {
        var first = Open("first");
        Save(first, "cat", value: 1);
        _log.Skip("concepts", to: 999);
        using var late = Open("late");
        Save(late, "dog", value: 2); // number 1000
        Save(late, "fox", value: 3);
        foreach (
            var change in Store.ListAsync("concepts/changes/", TestContext.Current.CancellationToken).WaitForResult()
        )
        {
            if (string.CompareOrdinal(change.Key, IChangeLog.KeyOf("concepts", 1000)) <= 0)
            {
                Store.DeleteAsync(change.Key, TestContext.Current.CancellationToken).WaitFor();
            }
        }

        var host = Open("new");

        Assert.Equal(["cat", "dog", "fox"], Names(host));
        Assert.Equal((1, 2, 3), (Value(host, "cat"), Value(host, "dog"), Value(host, "fox")));
    }

    /// <summary>
    /// A host that is so far behind that the next change is deleted believed to be the newest, for ever.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void List_NextChangeIsDeleted_StartsFromTheNewestCheckpoint(bool wasStopped)
    {
        var (first, second) = (Open("first"), Open("second"));
        Save(first, "cat", value: 1);
        Save(first, "dog", value: 2);
        Save(first, "owl", value: 3);
        Assert.Equal((1, 2, 3), (Value(second, "cat"), Value(second, "dog"), Value(second, "owl")));
        if (wasStopped)
        {
            second.Dispose();
        }

        Save(first, "cat", value: 10);
        first.Delete("dog", _ => { });
        foreach (var thousands in new[] { 1, 2 })
        {
            _log.Skip("concepts", to: (1000 * thousands) - 1);
            Save(first, $"fox-{thousands}", value: 4);
        }

        first.DeleteLeftovers(DateTimeOffset.UtcNow + TimeSpan.FromHours(3));
        Assert.Equal(1001, IChangeLog.NumberOf(Keys("concepts/changes/")[0]));
        _time.Advance(TimeSpan.FromHours(3));
        second = wasStopped ? Open("second") : second;

        Assert.Equal(["cat", "fox-1", "fox-2", "owl"], Names(second));
        Assert.Equal((10, 3, 4), (Value(second, "cat"), Value(second, "owl"), Value(second, "fox-1")));
        Assert.Equal(1, (int)second.Load("cat", second.Versions("cat")[0].Version).Encoders[0].Magnitudes[0]);
        Save(second, "cat", value: 11);
        Assert.Equal(11, Value(first, "cat"));
    }

    [Fact]
    public void DeleteLeftovers_OldObjectsThatNothingRefersTo_AreDeletedAndNoOthers()
    {
        var first = Open("first");
        Save(first, "cat", value: 1, thumbnail: [1]);
        Save(first, "cat", value: 2);
        Store.PutAsync("concepts/files/upload", new byte[1], TestContext.Current.CancellationToken).WaitFor();
        var before = Keys("concepts/");

        first.DeleteLeftovers(DateTimeOffset.UtcNow);
        Assert.Equal(before, Keys("concepts/")); // another host may be about to refer to it
        first.DeleteLeftovers(DateTimeOffset.UtcNow + TimeSpan.FromHours(2));

        Assert.Equal(
            before.Where(key => key != "concepts/files/upload"),
            Keys("concepts/").Where(key => key != IChangeLog.KeyOf("concepts", 3))
        );
        var second = Open("second");
        Assert.Equal(2, Value(second, "cat"));
        Assert.Equal(1, (int)second.Load("cat", second.Versions("cat")[0].Version).Encoders[0].Magnitudes[0]);
        first.DeleteLeftovers(DateTimeOffset.UtcNow + TimeSpan.FromHours(2));
        Assert.Equal(3, _log.Number("concepts")); // with nothing to delete there is no change
    }

    /// <summary>A host that was paused between its upload and the change that refers to it.</summary>
    [Fact]
    public void DeleteLeftovers_WhileAnotherHostSaves_LosesNothing()
    {
        var (first, second) = (Open("first"), Open("second"));
        Save(first, "cat", value: 1);
        _log.BeforeNextAppend(() => first.DeleteLeftovers(DateTimeOffset.UtcNow + TimeSpan.FromHours(2)));

        Save(second, "dog", value: 2);

        Assert.Equal(1, _log.Conflicts);
        Assert.Equal((1, 2), (Value(first, "cat"), Value(first, "dog")));
    }

    [Fact]
    public void DeleteLeftovers_SnapshotsOfARunThatIsGone_AreDeletedAndNoOthers()
    {
        var first = Runs("first");
        var request = new TrainRequest { Name = "cat", Photos = { new Photo { FileName = "a.png" } } };
        first.Begin(request, null, Caller.Local, new("job", 1));
        FencingTests.Save(first, new("job", 1), step: 100, value: 1);
        var kept = Keys("snapshots/");
        Store.PutAsync("snapshots/dog/1", new byte[1], TestContext.Current.CancellationToken).WaitFor();

        first.DeleteLeftovers(DateTimeOffset.UtcNow + TimeSpan.FromHours(2));

        Assert.Equal(kept, Keys("snapshots/"));
        Assert.Equal([100], first.Steps("cat"));
    }

    [Fact]
    public void Open_FolderOfAnotherHost_IsRefused()
    {
        Open("first");

        Assert.Contains("used by another host", Refusal(() => Open("first")), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FolderWithConceptsOfASingleServer_IsRefused()
    {
        var folder = _root.CreateSubdirectory("single").FullName;
        File.WriteAllText(Path.Combine(folder, "cat.json"), "{}");

        Assert.Contains("import the concepts", Refusal(() => Open("single")), StringComparison.Ordinal);
    }

    [Fact]
    public void List_StorageIsAway_GivesWhatIsKnown()
    {
        var (first, second) = (Open("first"), Open("second"));
        Save(first, "cat", value: 1);
        Assert.Equal(["cat"], Names(second));
        Directory.Move(Path.Combine(_root.FullName, "storage"), Path.Combine(_root.FullName, "unmounted"));

        Assert.Equal(["cat"], Names(second));
        var refused = Assert.Throws<DtiException>(() => Save(second, "dog", value: 2));

        Assert.Equal(StorageErrors.Unavailable, refused.Reason);
        Directory.Move(Path.Combine(_root.FullName, "unmounted"), Path.Combine(_root.FullName, "storage"));
        Save(second, "dog", value: 2);
        Assert.Equal(["cat", "dog"], Names(first));
    }

    [Fact]
    public void Runs_OfOneHost_ContinueOnAnother()
    {
        var (first, second) = (Runs("first"), Runs("second"));
        var request = new TrainRequest { Name = "cat", Photos = { new Photo { FileName = "a.png" } } };
        first.Begin(request, null, Caller.Local, new("job", 1));
        Assert.Equal("job", second.JobOf("cat"));
        FencingTests.Save(first, new("job", 1), step: 100, value: 1);
        FencingTests.Save(first, new("job", 1), step: 120, value: 2);

        Assert.Equal(120, second.LastStep("cat", "job", below: 500));
        Assert.Equal(request, second.Request("cat", Caller.Local));
        var resumed = request.Clone();
        resumed.Resume = new TrainResume { FromStep = 120 };
        second.Continue(resumed, new("job", 2));
        FencingTests.Save(first, new("job", 1), step: 140, value: 3); // it does not know that it has lost the job
        FencingTests.Save(second, new("job", 2), step: 140, value: 4);

        Assert.Equal([140], second.Steps("cat"));
        Assert.Equal(4, FencingTests.Value(first, step: 140));
        first.Delete("cat", Caller.Local);
        Assert.Null(second.JobOf("cat"));
        Assert.Empty(Store.ListAsync("snapshots/", TestContext.Current.CancellationToken).WaitForResult());
        Assert.Empty(Store.ListAsync("runs/files/", TestContext.Current.CancellationToken).WaitForResult());
    }

    private List<string> Keys(string prefix) =>
        [.. Store.ListAsync(prefix, TestContext.Current.CancellationToken).WaitForResult().Select(found => found.Key)];

    private ConceptLibrary Open(string host) =>
        Add(new ConceptLibrary(Options(host), _time, NullLogger<ConceptLibrary>.Instance, store: Store, log: _log));

    private TrainingRuns Runs(string host) => Add(new TrainingRuns(Options(host), store: Store, log: _log));

    private T Add<T>(T host)
        where T : IDisposable
    {
        _hosts.Add(host);
        return host;
    }

    private DtiServerOptions Options(string host) =>
        new()
        {
            ConceptFolder = Path.Combine(_root.FullName, host),
            Cluster = new ClusterOptions { Connection = "localhost:6379", Storage = Store.Location },
        };

    private static void Save(
        ConceptLibrary library,
        string name,
        int value,
        byte[]? thumbnail = null,
        Action? admit = null
    ) =>
        library
            .For(Caller.Local)
            .Save(
                new Concept { Name = name, Placeholder = $"<{name}>" },
                new ConceptEmbedding(
                    $"<{name}>",
                    [
                        DirectionalVectors.FromEmbeddings([
                            [value, 0, 0],
                        ]),
                    ]
                ),
                thumbnail,
                default,
                overwrite: true,
                admit
            );

    private static List<string> Names(ConceptLibrary library) => [.. library.List().Select(concept => concept.Name)];

    private static int Value(ConceptLibrary library, string name) =>
        (int)library.For(Caller.Local).Load(name).Encoders[0].Magnitudes[0];

    private static string Refusal(Action open) => Assert.Throws<DtiException>(open).Message;

    /// <summary>What the grain does, without a cluster.</summary>
    private sealed class ChangeLogOfOneProcess(IObjectStore store) : IChangeLog
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<string, (long Number, byte[] Change)> _newest = [];
        private bool _losesAnswer;
        private Action? _beforeAppend;

        public int Conflicts { get; private set; }

        public void LoseNextAnswer() => _losesAnswer = true;

        public void BeforeNextAppend(Action action) => _beforeAppend = action;

        public long Number(string name) => _newest[name].Number;

        /// <summary>Appends empty changes up to a number.</summary>
        public void Skip(string name, long to)
        {
            while (_newest[name].Number < to)
            {
                var number = _newest[name].Number + 1;
                var change = new ReplicatedChange($"{number}", []).Format();
                store.PutAsync(IChangeLog.KeyOf(name, number), change).WaitFor();
                _newest[name] = (number, change);
            }
        }

        public Task<bool> AppendAsync(string name, long known, byte[] change)
        {
            Interlocked.Exchange(ref _beforeAppend, null)?.Invoke();
            lock (_lock)
            {
                var (number, last) = _newest.GetValueOrDefault(name);
                if (number != known)
                {
                    var isSame = number == known + 1 && change.AsSpan().SequenceEqual(last);
                    Conflicts += isSame ? 0 : 1;
                    return Task.FromResult(isSame);
                }

                store.PutAsync(IChangeLog.KeyOf(name, known + 1), change).WaitFor();
                _newest[name] = (known + 1, change);
            }

            if (_losesAnswer)
            {
                _losesAnswer = false;
                throw StorageErrors.NoAnswer("of the test", "The answer was lost");
            }

            return Task.FromResult(true);
        }
    }
}
