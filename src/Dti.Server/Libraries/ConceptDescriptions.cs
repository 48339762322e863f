using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO.Enumeration;
using Dti.V1;

namespace Dti.Server.Libraries;

/// <summary>
/// A cache of the descriptions in a folder: a file is parsed again only when it has changed, by whatever program. Files
/// that were added, deleted or renamed change the folder's modification time, which makes the cache compare the time
/// and length of every file. Files that were written in place are reported by a file system watcher, and read again
/// alone. Without a watcher, all files are compared each time. Not thread-safe.
/// </summary>
internal sealed class ConceptDescriptions : IConceptList
{
    // Two changes within one tick of a file system's clock, FAT's being the coarsest, carry the same time.
    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(2);
    private const int ReadAheadBatch = 64; // files; between two batches a caller may list them
    private readonly string _folder;
    private readonly Func<string, Concept?> _read;
    private readonly FileSystemWatcher? _watcher;
    private readonly SortedDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _changedFiles = new(); // names of files
    private Concept[] _list = [];
    private DateTime _folderTime;
    private bool _settled; // the folder's time was older than a tick when it was read
    private int _generation;
    private volatile bool _missed = true; // changes were not reported by the watcher
    private volatile bool _isUnwatched;

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
            _watcher.Changed += (_, file) => _changedFiles.Enqueue(file.Name!);
            _watcher.Created += (_, file) => _changedFiles.Enqueue(file.Name!);
            _watcher.Deleted += (_, file) => _changedFiles.Enqueue(file.Name!);
            _watcher.Renamed += (_, file) =>
            {
                _changedFiles.Enqueue(file.OldName!);
                _changedFiles.Enqueue(file.Name!);
            };
            _watcher.Error += (_, error) =>
                (_missed, _isUnwatched) = (
                    true,
                    _isUnwatched || error.GetException() is not InternalBufferOverflowException
                );
            _watcher.EnableRaisingEvents = true;
        }
        catch (Exception error) when (error is IOException or PlatformNotSupportedException)
        {
            _isUnwatched = true; // the system's watches are used up
        }
    }

    /// <summary>All readable descriptions, by file name. Callers share them and must not change them.</summary>
    public IReadOnlyList<Concept> List()
    {
        var folderTime = Directory.GetLastWriteTimeUtc(_folder);
        var all = _isUnwatched || _missed || !_settled || folderTime != _folderTime;
        _missed = false; // before the comparison, so that a change meanwhile leads to the next one
        var changed = new HashSet<string>(StringComparer.Ordinal);
        while (_changedFiles.TryDequeue(out var name))
        {
            changed.Add(name);
        }

        if (all)
        {
            (_folderTime, _settled) = (folderTime, IsOld(folderTime));
            RefreshAll(changed);
        }
        else if (changed.Count > 0)
        {
            Refresh(
                changed.Where(name => IsDescription(name)).Select(name => new FileInfo(Path.Combine(_folder, name)))
            );
        }

        return _list;
    }

    /// <summary>
    /// Reads all descriptions before the first caller lists them. It uses half of a core at most, and ends when a
    /// caller lists them meanwhile, which reads the rest.
    /// </summary>
    /// <param name="alone">Runs a short action while nobody else uses these descriptions; files are read between the
    /// actions.</param>
    /// <param name="cancellationToken">Ends it after a few files.</param>
    public void ReadAhead(Action<Action> alone, CancellationToken cancellationToken)
    {
        var listed = false;
        foreach (var files in All().Chunk(ReadAheadBatch))
        {
            var began = Stopwatch.GetTimestamp();
            var read = Array.ConvertAll(files, file => Read(file.Name, file.Time, file.Length));
            alone(() =>
            {
                listed = _generation > 0;
                for (var i = 0; i < files.Length && !listed; i++)
                {
                    _known[files[i].Name] = read[i]; // the first comparison checks it against its file
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
    /// Changes a description by the library itself, which then reads only that file again. Changes by other programs at
    /// the same moment are reported by the watcher.
    /// </summary>
    public void Change(string name, Action change)
    {
        var isKnown = !_isUnwatched && _settled && Directory.GetLastWriteTimeUtc(_folder) == _folderTime;
        change();
        if (isKnown)
        {
            _folderTime = Directory.GetLastWriteTimeUtc(_folder);
            _changedFiles.Enqueue(name);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watcher?.Dispose();

    /// <summary>Reads some files again.</summary>
    private void Refresh(IEnumerable<FileInfo> files)
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

        BuildList();
    }

    /// <summary>Compares all files with the cache, and reads those that have changed.</summary>
    /// <param name="reported">Files that are read again even if their time and length are the same.</param>
    private void RefreshAll(HashSet<string> reported)
    {
        _generation++;
        var changed = new List<(string Name, DateTime Time, long Length)>();
        foreach (var file in All())
        {
            if (
                _known.TryGetValue(file.Name, out var known)
                && known.Settled
                && known.Time == file.Time
                && known.Length == file.Length
                && !reported.Contains(file.Name)
            )
            {
                known.Generation = _generation;
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

        foreach (
            var gone in _known.Where(file => file.Value.Generation != _generation).Select(file => file.Key).ToArray()
        )
        {
            _known.Remove(gone);
        }

        BuildList();
    }

    private FileSystemEnumerable<(string Name, DateTime Time, long Length)> All() => FilesOf(_folder);

    /// <summary>The files of descriptions in a folder.</summary>
    internal static FileSystemEnumerable<(string Name, DateTime Time, long Length)> FilesOf(string folder) =>
        new(folder, (ref FileSystemEntry entry) =>
            (entry.FileName.ToString(), entry.LastWriteTimeUtc.UtcDateTime, entry.Length)
        )
        {
            // A pipe or a device has no length. Of a link the length is its own.
            ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                IsDescription(entry.FileName)
                && !entry.IsDirectory
                && (entry.Length > 0 || (entry.Attributes & FileAttributes.ReparsePoint) != 0),
        };

    private void BuildList() => _list = [.. _known.Values.Select(file => file.Concept).OfType<Concept>()];

    private Known Read(string name, DateTime time, long length) =>
        new(time, length, IsOld(time), _read(Path.Combine(_folder, name))) { Generation = _generation };

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
        /// <summary>The newest generation that contains it.</summary>
        public int Generation { get; set; }
    }
}
