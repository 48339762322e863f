using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO.Enumeration;
using Dti.V1;

namespace Dti.Server.Libraries;

/// <summary>
/// The descriptions in a folder, each parsed once for as long as its file stays as it is. Files may be changed by
/// anyone at any time: what came, went or was renamed shows in the folder's own time, and every file's time and length
/// are looked at then; what was written in place, or by the library itself, is one file to be read again. Where the
/// system does not tell of changes, all are looked at each time. Not thread-safe.
/// </summary>
internal sealed class ConceptDescriptions : IDisposable
{
    // Two changes within one tick of a file system's clock, FAT's being the coarsest, carry the same time.
    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(2);
    private const int AtOnce = 64; // files that are read ahead between two looks at whether someone lists them
    private readonly string _folder;
    private readonly Func<string, Concept?> _read;
    private readonly FileSystemWatcher? _watcher;
    private readonly SortedDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _told = new(); // names of files
    private Concept[] _list = [];
    private DateTime _folderTime;
    private bool _settled; // the folder's time was older than a tick when it was looked at
    private int _look;
    private volatile bool _missed = true; // more has changed than was told
    private volatile bool _deaf;

    /// <param name="folder">It exists.</param>
    /// <param name="read">Reads a description; null: it cannot be read. Several are read at once.</param>
    public ConceptDescriptions(string folder, Func<string, Concept?> read)
    {
        (_folder, _read) = (folder, read);
        try
        {
            _watcher = new FileSystemWatcher(folder, "*.json")
            {
                NotifyFilter = NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.FileName,
            };
            _watcher.Changed += (_, file) => _told.Enqueue(file.Name!);
            _watcher.Created += (_, file) => _told.Enqueue(file.Name!);
            _watcher.Deleted += (_, file) => _told.Enqueue(file.Name!);
            _watcher.Renamed += (_, file) =>
            {
                _told.Enqueue(file.OldName!);
                _told.Enqueue(file.Name!);
            };
            _watcher.Error += (_, error) =>
                (_missed, _deaf) = (true, _deaf || error.GetException() is not InternalBufferOverflowException);
            _watcher.EnableRaisingEvents = true;
        }
        catch (Exception error) when (error is IOException or PlatformNotSupportedException)
        {
            _deaf = true; // the system's watches are used up
        }
    }

    /// <summary>All that can be read, by file name. Callers share them and leave them as they are.</summary>
    public IReadOnlyList<Concept> List()
    {
        var folderTime = Directory.GetLastWriteTimeUtc(_folder);
        var all = _deaf || _missed || !_settled || folderTime != _folderTime;
        _missed = false; // before looking: what changes meanwhile is looked at next time
        var told = new HashSet<string>(StringComparer.Ordinal);
        while (_told.TryDequeue(out var name))
        {
            told.Add(name);
        }

        if (all)
        {
            (_folderTime, _settled) = (folderTime, IsOld(folderTime));
            Look(told);
        }
        else if (told.Count > 0)
        {
            Look(told.Where(name => IsDescription(name)).Select(name => new FileInfo(Path.Combine(_folder, name))));
        }

        return _list;
    }

    /// <summary>
    /// Reads all before anyone lists them, so that the first who does finds little left to do. It takes half of a core
    /// at most, and ends where someone lists them meanwhile: he has read the rest.
    /// </summary>
    /// <param name="alone">Does a little work while nobody else uses these descriptions; files are read in
    /// between.</param>
    /// <param name="cancellationToken">Ends it after a few files.</param>
    public void ReadAhead(Action<Action> alone, CancellationToken cancellationToken)
    {
        var listed = false;
        foreach (var files in All().Chunk(AtOnce))
        {
            var began = Stopwatch.GetTimestamp();
            var read = Array.ConvertAll(files, file => Read(file.Name, file.Time, file.Length));
            alone(() =>
            {
                listed = _look > 0;
                for (var i = 0; i < files.Length && !listed; i++)
                {
                    _known[files[i].Name] = read[i]; // the first look compares it with its file
                }
            });
            if (listed || cancellationToken.WaitHandle.WaitOne(Stopwatch.GetElapsedTime(began)))
            {
                return;
            }
        }

        alone(() => List());
    }

    /// <summary>
    /// Has the library itself change a description: then that alone is read again. What others change in the same
    /// moment is told by the system.
    /// </summary>
    public void Change(string name, Action change)
    {
        var isKnown = !_deaf && _settled && Directory.GetLastWriteTimeUtc(_folder) == _folderTime;
        change();
        if (isKnown)
        {
            _folderTime = Directory.GetLastWriteTimeUtc(_folder);
            _told.Enqueue(name);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watcher?.Dispose();

    /// <summary>Looks at some files.</summary>
    private void Look(IEnumerable<FileInfo> files)
    {
        foreach (var file in files)
        {
            if (file.Exists)
            {
                _known[file.Name] = Read(file.Name, file.LastWriteTimeUtc, file.Length);
            }
            else
            {
                _known.Remove(file.Name);
            }
        }

        Arrange();
    }

    /// <summary>Looks at all files.</summary>
    /// <param name="told">Those that are read even if they look as before.</param>
    private void Look(HashSet<string> told)
    {
        _look++;
        var changed = new List<(string Name, DateTime Time, long Length)>();
        foreach (var file in All())
        {
            if (
                _known.TryGetValue(file.Name, out var known)
                && known.Settled
                && known.Time == file.Time
                && known.Length == file.Length
                && !told.Contains(file.Name)
            )
            {
                known.SeenIn = _look;
            }
            else
            {
                changed.Add(file);
            }
        }

        var read = new Known[changed.Count];
        Parallel.For(0, read.Length, i => read[i] = Read(changed[i].Name, changed[i].Time, changed[i].Length));
        foreach (var (file, known) in changed.Zip(read))
        {
            _known[file.Name] = known;
        }

        foreach (var gone in _known.Where(file => file.Value.SeenIn != _look).Select(file => file.Key).ToArray())
        {
            _known.Remove(gone);
        }

        Arrange();
    }

    private FileSystemEnumerable<(string Name, DateTime Time, long Length)> All() =>
        new(_folder, (ref FileSystemEntry entry) =>
            (entry.FileName.ToString(), entry.LastWriteTimeUtc.UtcDateTime, entry.Length)
        )
        {
            // A pipe or a device has no length. Of a link the length is its own.
            ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                IsDescription(entry.FileName)
                && !entry.IsDirectory
                && (entry.Length > 0 || (entry.Attributes & FileAttributes.ReparsePoint) != 0),
        };

    private void Arrange() => _list = [.. _known.Values.Select(file => file.Concept).OfType<Concept>()];

    private Known Read(string name, DateTime time, long length) =>
        new(time, length, IsOld(time), _read(Path.Combine(_folder, name))) { SeenIn = _look };

    private static bool IsDescription(ReadOnlySpan<char> name) => name.EndsWith(".json", StringComparison.Ordinal);

    // By the clock that stamps files.
    private static bool IsOld(DateTime time) =>
        TimeProvider.System.GetUtcNow().UtcDateTime - time is var age && (age > _tick || age < -_tick);

    /// <param name="Time">Of the file when it was read.</param>
    /// <param name="Length">Of it.</param>
    /// <param name="Settled">The file was older than a tick when it was read.</param>
    /// <param name="Concept">Null: it cannot be read.</param>
    private sealed record Known(DateTime Time, long Length, bool Settled, Concept? Concept)
    {
        /// <summary>The look that saw it last.</summary>
        public int SeenIn { get; set; }
    }
}
