using Dti.Server.Libraries;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Tests;

/// <summary>The library's view of files that anyone may change at any time.</summary>
public sealed class ConceptDescriptionsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-descriptions-");
    private readonly ConceptDescriptions _descriptions;
    private readonly System.Collections.Concurrent.ConcurrentBag<string> _seen = [];
    private int _reads;

    public ConceptDescriptionsTests() => _descriptions = new ConceptDescriptions(_folder.FullName, Read);

    public void Dispose()
    {
        _descriptions.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void List_NothingChanged_ReadsNoFileAgain()
    {
        Write("a", "one");
        Write("b", "one");
        Age();

        var (first, again) = (_descriptions.List(), _descriptions.List());

        Assert.Equal(["a", "b"], first.Select(concept => concept.Name));
        Assert.Same(first, again);
        Assert.Equal(0, _reads);
    }

    [Fact]
    public void ReadAhead_ManyFiles_LeavesNoneToTheFirstListing()
    {
        using var fresh = Fresh(200);

        fresh.ReadAhead(work => work(), CancellationToken.None);
        Assert.Equal(200, Interlocked.Exchange(ref _reads, 0));

        Assert.Equal(200, fresh.List().Count);
        Assert.Equal(0, _reads);
    }

    /// <summary>What was read before a file changed or went must not come back.</summary>
    [Fact]
    public void ReadAhead_FilesThatChangeOrGoMeanwhile_AreAsTheyAreNow()
    {
        using var fresh = Fresh(2);

        fresh.ReadAhead(
            work =>
            {
                Write("c000", "two"); // after it was read
                File.Delete(PathOf("c001"));
                work();
            },
            CancellationToken.None
        );

        Assert.Equal("two", Assert.Single(fresh.List()).Model);
    }

    [Fact]
    public void ReadAhead_SomeoneListsMeanwhile_LeavesTheRestToHim()
    {
        using var fresh = Fresh(200);
        var looks = 0;

        fresh.ReadAhead(
            work =>
            {
                looks++;
                fresh.List();
                work();
            },
            CancellationToken.None
        );

        Assert.Equal(1, looks);
        Assert.Equal(200, fresh.List().Count);
    }

    [Fact]
    public async Task Server_ThatIsReady_ReadsAheadUnasked()
    {
        File.WriteAllText(PathOf("broken"), "{");
        var log = new LogCollector();

        await using var server = TestServer.Start(
            options => options with { ConceptFolder = _folder.FullName },
            services => services.AddSingleton<ILoggerProvider>(log)
        );

        Assert.True(
            SpinWait.SpinUntil(
                () => log.Lines.Any(line => line.Contains("broken.json", StringComparison.Ordinal)),
                TimeSpan.FromSeconds(30)
            )
        );
    }

    [Fact]
    public void ReadAhead_Cancelled_EndsAfterAFewFiles()
    {
        using var fresh = Fresh(200);

        fresh.ReadAhead(work => work(), new CancellationToken(canceled: true));

        Assert.InRange(_reads, 1, 100);
    }

    [Fact]
    public void List_FileCameOrWentByHand_SaysSoAtOnce()
    {
        Write("a", "one");
        Age();
        _descriptions.List();

        Write("b", "one");
        Assert.Equal(["a", "b"], _descriptions.List().Select(concept => concept.Name));

        File.Delete(PathOf("a"));
        Assert.Equal(["b"], _descriptions.List().Select(concept => concept.Name));
    }

    [Fact]
    public void List_FileReplacedByAnother_SaysSoAtOnce()
    {
        Write("a", "one");
        Age();
        _descriptions.List();

        File.WriteAllText(PathOf("a") + ".new", new Concept { Name = "a", Model = "two" }.ToString());
        File.Move(PathOf("a") + ".new", PathOf("a"), overwrite: true);

        Assert.Equal("two", Assert.Single(_descriptions.List()).Model);
    }

    [Fact]
    public void List_FileEditedInPlace_SaysSoWhenTheSystemTells()
    {
        Write("a", "one");
        Age();
        _descriptions.List();

        Write("a", "two"); // as long as before

        Assert.True(SpinWait.SpinUntil(() => _descriptions.List() is [{ Model: "two" }], TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void List_OneFileEditedInPlace_ReadsThatOneAlone()
    {
        Write("a", "one");
        Write("b", "one");
        Age();

        Write("a", "two");

        Assert.True(
            SpinWait.SpinUntil(
                () => _descriptions.List() is [{ Model: "two" }, { Model: "one" }],
                TimeSpan.FromSeconds(30)
            )
        );
        Assert.InRange(_reads, 1, 3); // the system may tell of one change more than once
    }

    [Fact]
    public void Change_ByTheLibraryItself_IsListedAtOnceAndReadsNoOther()
    {
        Write("a", "one");
        Write("b", "one");
        Age();

        _descriptions.Change("c.json", () => Write("c", "one"));
        Assert.Equal(["a", "b", "c"], _descriptions.List().Select(concept => concept.Name));

        _descriptions.Change("a.json", () => File.Delete(PathOf("a")));
        Assert.Equal(["b", "c"], _descriptions.List().Select(concept => concept.Name));
        Assert.DoesNotContain("b", _seen);
    }

    [Fact]
    public void List_FileThatCannotBeRead_IsLeftOutUntilItIsMended()
    {
        File.WriteAllText(PathOf("a"), "{");
        Write("b", "one");
        Age();
        Assert.Equal(["b"], _descriptions.List().Select(concept => concept.Name));

        Write("a", "one");

        Assert.True(SpinWait.SpinUntil(() => _descriptions.List().Count == 2, TimeSpan.FromSeconds(30)));
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, $"{name}.json");

    private void Write(string name, string model) =>
        File.WriteAllText(PathOf(name), new Concept { Name = name, Model = model }.ToString());

    /// <summary>What has not looked at the folder yet, of so many old files.</summary>
    private ConceptDescriptions Fresh(int files)
    {
        for (var i = 0; i < files; i++)
        {
            Write($"c{i:D3}", "one");
        }

        Age();
        return new ConceptDescriptions(_folder.FullName, Read);
    }

    /// <summary>As if all had been written long ago, and the system had told of it.</summary>
    private void Age()
    {
        var before = DateTime.UtcNow.AddHours(-1);
        foreach (var file in _folder.GetFiles())
        {
            file.LastWriteTimeUtc = before;
        }

        Directory.SetLastWriteTimeUtc(_folder.FullName, before);
        for (var quiet = 0; quiet < 10; quiet = _reads == 0 ? quiet + 1 : 0)
        {
            _reads = 0;
            Thread.Sleep(25); // the system tells when it likes
            _descriptions.List();
        }

        _seen.Clear();
    }

    private Concept? Read(string file)
    {
        Interlocked.Increment(ref _reads);
        _seen.Add(Path.GetFileNameWithoutExtension(file));
        try
        {
            return JsonParser.Default.Parse<Concept>(File.ReadAllText(file));
        }
        catch (Exception error) when (error is InvalidProtocolBufferException or IOException)
        {
            return null;
        }
    }
}
