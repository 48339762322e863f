using Dti.Engine.Runtime.Files;
using Dti.Server.Libraries;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Tests;

/// <summary>The list of a library that several hosts share.</summary>
public sealed class ConceptIndexTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-index-");
    private readonly FolderJournal _journal;
    private readonly List<string> _read = [];

    public ConceptIndexTests() => _journal = new FolderJournal(_folder.FullName);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void List_AnotherHostChangesConcepts_ReadsNoFile()
    {
        Write("cat", "old");
        using var writer = Open();
        using var reader = Open();
        Assert.Equal(["cat old"], Listed(reader));
        _read.Clear();

        Change(writer, "dog", "new");
        Change(writer, "cat", "new");
        Assert.Equal(["cat new", "dog new"], Listed(reader));
        Change(writer, "cat", null);

        Assert.Equal(["dog new"], Listed(reader));
        Assert.Equal(["dog", "cat"], _read); // each once, by the host that changed it
        Assert.Same(reader.List(), reader.List());
    }

    [Fact]
    public void List_ManyConcepts_IsInTheOrderOfTheirFiles()
    {
        string[] names = [.. Enumerable.Range(0, 40).Select(i => $"{i * 7 % 40}")];
        Array.ForEach(names, name => Write(name, "x"));
        using var first = Open();
        using var second = Open();

        Change(second, "-", "x");
        Change(second, "zebra", "x");

        string[] expected = [.. names.Concat(["-", "zebra"]).Order(FileOrder)];
        Assert.Equal(expected, first.List().Select(concept => concept.Name));
        Assert.Equal(expected, second.List().Select(concept => concept.Name));
    }

    [Fact]
    public void Change_AfterAKilledHost_ReplacesItsHalfEntry()
    {
        using var first = Open();
        Change(first, "cat", "one");
        using (var index = File.Open(Path.Combine(_folder.FullName, ".index"), FileMode.Append))
        {
            index.Write([9, 0, 0, 0, 3]);
        }

        using var second = Open();
        Assert.Equal(["cat one"], Listed(second));
        Change(second, "dog", "two");

        Assert.Equal(["cat one", "dog two"], Listed(first));
        using var third = Open();
        Assert.Equal(["cat one", "dog two"], Listed(third));
    }

    [Fact]
    public void ReadAhead_FilesChangedByHand_AreListedByEveryHost()
    {
        Write("cat", "one");
        Write("gone", "one");
        using var running = Open();
        Assert.Equal(["cat one", "gone one"], Listed(running));
        Write("cat", "another one");
        Write("dog", "one");
        File.Delete(PathOf("gone"));

        using var started = Open();
        started.ReadAhead(work => work(), TestContext.Current.CancellationToken);

        Assert.Equal(["cat another one", "dog one"], Listed(started));
        Assert.Equal(["cat another one", "dog one"], Listed(running));
    }

    [Fact]
    public void List_IndexWrittenAnew_IsRead()
    {
        using var running = Open();
        Change(running, "cat", "one");
        File.Delete(Path.Combine(_folder.FullName, ".index"));
        Write("dog", "one");

        using var started = Open();

        Assert.Equal(["cat one", "dog one"], Listed(started));
        Assert.Equal(["cat one", "dog one"], Listed(running));
    }

    private static IComparer<string> FileOrder =>
        Comparer<string>.Create((one, two) => string.CompareOrdinal($"{one}.json", $"{two}.json"));

    private ConceptIndex Open()
    {
        var index = new ConceptIndex(_journal, _folder.FullName, Read);
        index.EnsureExists();
        return index;
    }

    private void Change(ConceptIndex index, string name, string? model)
    {
        using var change = _journal.EnterToChange();
        index.Change($"{name}.json", () =>
        {
            if (model is null)
            {
                File.Delete(PathOf(name));
            }
            else
            {
                Write(name, model);
            }
        });
    }

    private static IEnumerable<string> Listed(ConceptIndex index) =>
        index.List().Select(concept => $"{concept.Name} {concept.Model}");

    private Concept? Read(string path)
    {
        lock (_read)
        {
            _read.Add(Path.GetFileNameWithoutExtension(path));
        }

        return JsonParser.Default.Parse<Concept>(File.ReadAllText(path));
    }

    private void Write(string name, string model) =>
        File.WriteAllText(PathOf(name), JsonFormatter.Default.Format(new Concept { Name = name, Model = model }));

    private string PathOf(string name) => Path.Combine(_folder.FullName, $"{name}.json");
}
