using System.Globalization;
using Orleans.Storage;

namespace Dti.Server.Jobs.Grains;

/// <summary>
/// The queue's state, its entries on pages of which only those are written that have changed: one more job costs the
/// disk as much after ten thousand as after ten.
/// </summary>
/// <param name="storage">Where it is.</param>
/// <param name="queue">Whose it is.</param>
internal sealed class QueuePages(IGrainStorage storage, GrainId queue) : IPersistentState<QueueState>
{
    private const string Root = "queue";
    private const int EntriesPerPage = 64;
    private readonly Part<QueueState> _root = new(); // as it is on disk
    private readonly SortedDictionary<int, Part<QueuePage>> _pages = []; // as they are on disk
    private readonly Dictionary<string, int> _pageOf = new(StringComparer.Ordinal); // by job

    /// <inheritdoc/>
    public QueueState State { get; set; } = new();

    /// <inheritdoc/>
    public string Etag => _root.Stored.ETag!;

    /// <inheritdoc/>
    public bool RecordExists => _root.Stored.RecordExists;

    /// <inheritdoc/>
    public async Task ReadStateAsync()
    {
        await storage.ReadStateAsync(Root, queue, _root.Stored);
        for (var number = _root.Content.FirstPage; number < _root.Content.NextPage; number++)
        {
            var page = new Part<QueuePage>();
            await storage.ReadStateAsync(NameOf(number), queue, page.Stored);
            if (page.Stored.RecordExists)
            {
                _pages.Add(number, page);
                page.Content.Entries.ForEach(entry => _pageOf[entry.Ticket.JobId] = number);
            }
        }

        // Entries that were written before there were pages are whole until all of them are on pages.
        var entries = _root.Content.Entries is { Count: > 0 } unpaged
            ? unpaged
            : _pages.Values.SelectMany(page => page.Content.Entries);
        State = new QueueState
        {
            Entries = [.. entries.Select(entry => entry with { })],
            StepSeconds = new(_root.Content.StepSeconds),
        };
    }

    /// <inheritdoc/>
    public async Task WriteStateAsync()
    {
        var contents = Arrange();
        var next = Math.Max(_root.Content.NextPage, contents.Keys.LastOrDefault(-1) + 1);
        if (next > _root.Content.NextPage || !_root.Content.StepSeconds.ToHashSet().SetEquals(State.StepSeconds))
        {
            await WriteRootAsync(next, contents.Keys.FirstOrDefault(next - 1), _root.Content.Entries);
        }

        foreach (var (number, entries) in contents)
        {
            if (!_pages.TryGetValue(number, out var page))
            {
                _pages.Add(number, page = new Part<QueuePage>());
            }

            if (!page.Stored.RecordExists || !page.Content.Entries.SequenceEqual(entries))
            {
                await WriteAsync(
                    NameOf(number),
                    page,
                    new QueuePage { Entries = [.. entries.Select(entry => entry with { })] }
                );
            }
        }

        foreach (
            var (number, page) in _pages.Where(page => !contents.ContainsKey(page.Key) && page.Key < next - 1).ToArray()
        )
        {
            await storage.ClearStateAsync(NameOf(number), queue, page.Stored);
            _pages.Remove(number);
        }

        if (_root.Content.Entries.Count > 0)
        {
            await WriteRootAsync(next, _root.Content.FirstPage, []);
        }

        if (_pageOf.Count > State.Entries.Count)
        {
            _pageOf.Clear(); // of jobs that are forgotten
            foreach (var (number, entries) in contents)
            {
                entries.ForEach(entry => _pageOf.Add(entry.Ticket.JobId, number));
            }
        }
    }

    /// <inheritdoc/>
    public Task ClearStateAsync() => throw new NotSupportedException("The queue stays.");

    private static string NameOf(int page) => string.Create(CultureInfo.InvariantCulture, $"{Root}-{page:D6}");

    /// <summary>The entries by their pages; new ones on the last page while it has room, then on the next.</summary>
    private SortedDictionary<int, List<QueueEntry>> Arrange()
    {
        var contents = new SortedDictionary<int, List<QueueEntry>>();
        var last = Math.Max(0, _root.Content.NextPage - 1);
        var (current, page) = (-1, new List<QueueEntry>()); // entries of a page mostly follow each other
        foreach (var entry in State.Entries)
        {
            if (!_pageOf.TryGetValue(entry.Ticket.JobId, out var number))
            {
                last += contents.TryGetValue(last, out var full) && full.Count >= EntriesPerPage ? 1 : 0;
                _pageOf.Add(entry.Ticket.JobId, number = last);
            }

            last = Math.Max(last, number);
            if (number != current)
            {
                if (!contents.TryGetValue(number, out var other))
                {
                    contents.Add(number, other = []);
                }

                (current, page) = (number, other);
            }

            page.Add(entry);
        }

        return contents;
    }

    private Task WriteRootAsync(int next, int first, List<QueueEntry> unpaged) =>
        WriteAsync(
            Root,
            _root,
            new QueueState
            {
                Entries = unpaged,
                StepSeconds = new(State.StepSeconds),
                FirstPage = first,
                NextPage = next,
            }
        );

    private async Task WriteAsync<T>(string name, Part<T> place, T state)
        where T : class, new()
    {
        var before = place.Content;
        try
        {
            place.Stored.State = state;
            await storage.WriteStateAsync(name, queue, place.Stored);
        }
        catch
        {
            place.Stored.State = before; // what is on disk
            throw;
        }
    }

    /// <summary>A file's worth of state, as it is on disk.</summary>
    private sealed class Part<T>
        where T : class, new()
    {
        public GrainState<T> Stored { get; } = new(new T());

        public T Content => Stored.State!;
    }
}

/// <summary>Some of the queue's entries on disk, oldest first.</summary>
[GenerateSerializer]
[Alias("dti.queue-page")]
internal sealed class QueuePage
{
    [Id(0)]
    public List<QueueEntry> Entries { get; set; } = [];
}
