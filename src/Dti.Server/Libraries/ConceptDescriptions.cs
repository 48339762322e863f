using System.IO.Enumeration;
using Dti.V1;

namespace Dti.Server.Libraries;

/// <summary>
/// The descriptions in a folder, each parsed once for as long as its file stays as it is. Files may be changed by anyone at any time: what came,
/// went or was renamed shows in the folder's own time, what was written in place is told by the system. Where the system tells nothing, each
/// file's time and length are looked at each time. Not thread-safe.
/// </summary>
internal sealed class ConceptDescriptions : IDisposable
{
    // Two changes within one tick of a file system's clock, FAT's being the coarsest, carry the same time.
    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(2);
    private readonly string _folder;
    private readonly Func<string, Concept?> _read;
    private readonly FileSystemWatcher? _watcher;
    private Dictionary<string, Known> _known = [];
    private Concept[] _list = [];
    private DateTime _folderTime;
    private bool _settled; // the folder's time was older than a tick when it was looked at
    private volatile bool _changed = true;
    private volatile bool _deaf;

    /// <param name="folder">It exists.</param>
    /// <param name="read">Reads a description; null: it cannot be read.</param>
    public ConceptDescriptions(string folder, Func<string, Concept?> read)
    {
        (_folder, _read) = (folder, read);
        try
        {
            _watcher = new FileSystemWatcher(folder, "*.json") { NotifyFilter = NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.FileName };
            _watcher.Changed += (_, _) => _changed = true;
            _watcher.Error += (_, _) => (_changed, _deaf) = (true, true);
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
        if (_deaf || _changed || !_settled || folderTime != _folderTime)
        {
            _changed = false; // before looking: what changes meanwhile is looked at next time
            (_folderTime, _settled) = (folderTime, IsOld(folderTime));
            Look();
        }

        return _list;
    }

    /// <inheritdoc/>
    public void Dispose() => _watcher?.Dispose();

    private void Look()
    {
        var known = new Dictionary<string, Known>(_known.Count, StringComparer.Ordinal);
        var files = new FileSystemEnumerable<(string Name, DateTime Time, long Length)>(
            _folder, (ref FileSystemEntry entry) => (entry.FileName.ToString(), entry.LastWriteTimeUtc.UtcDateTime, entry.Length))
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => entry.FileName.EndsWith(".json", StringComparison.Ordinal) && !entry.IsDirectory,
        };
        foreach (var (name, time, length) in files)
        {
            var old = _known.GetValueOrDefault(name);
            known.Add(name, old is { Settled: true } && old.Time == time && old.Length == length ? old : new Known(time, length, IsOld(time), _read(Path.Combine(_folder, name))));
        }

        _known = known;
        _list = [.. known.OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => file.Value.Concept).OfType<Concept>()];
    }

    // By the clock that stamps files.
    private static bool IsOld(DateTime time) => TimeProvider.System.GetUtcNow().UtcDateTime - time is var age && (age > _tick || age < -_tick);

    /// <param name="Time">Of the file when it was read.</param>
    /// <param name="Length">Of it.</param>
    /// <param name="Settled">The file was older than a tick when it was read.</param>
    /// <param name="Concept">Null: it cannot be read.</param>
    private sealed record Known(DateTime Time, long Length, bool Settled, Concept? Concept);
}
