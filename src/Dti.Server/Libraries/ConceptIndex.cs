using Dti.Engine.Runtime.Files;
using Dti.V1;

namespace Dti.Server.Libraries;

/// <summary>
/// The descriptions of a folder that several hosts share. A file, <c>.index</c>, contains all of them. The host that
/// changes one appends it there, and the other hosts read only what was appended, so that a list costs no host more
/// than the time of one file. A file that was put into the folder by hand is found when a host starts.
/// </summary>
/// <param name="journal">The folder. Only who holds its lock writes the index.</param>
/// <param name="folder">Its path.</param>
/// <param name="read">Reads a description; null: it cannot be read. Several are read at once.</param>
/// <param name="files">The disk; null: the system's.</param>
internal sealed class ConceptIndex(
    FolderJournal journal,
    string folder,
    Func<string, Concept?> read,
    IFileStore? files = null
) : IConceptList
{
    private readonly IFileStore _files = files ?? PhysicalFileStore.Instance;
    private readonly string _path = Path.Combine(folder, ".index");
    private readonly ConceptListing _listing = new();
    private Guid _id; // of the index that was read; another one replaces it as a whole
    private long _end; // of its entries that were read
    private int _entries;

    /// <summary>Writes the index if there is none yet, from all files of the folder.</summary>
    /// <exception cref="Engine.DtiException">The folder cannot be written.</exception>
    public void EnsureExists()
    {
        if (!File.Exists(_path))
        {
            using var change = journal.EnterToChange();
            if (!File.Exists(_path))
            {
                Update([.. ConceptDescriptions.FilesOf(folder).Select(file => file.Name)]);
            }
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<Concept> List()
    {
        CatchUp();
        return _listing.Concepts;
    }

    /// <inheritdoc/>
    public void ReadAhead(Action<Action> alone, CancellationToken cancellationToken)
    {
        var known = new Dictionary<string, (DateTime Time, long Length)>(StringComparer.Ordinal);
        alone(() =>
        {
            CatchUp();
            foreach (var entry in _listing.Entries)
            {
                known.Add(entry.Name, (entry.Time, entry.Length));
            }
        });
        List<string> changed = [];
        foreach (var file in ConceptDescriptions.FilesOf(folder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!known.Remove(file.Name, out var before) || before != (file.Time, file.Length))
            {
                changed.Add(file.Name);
            }
        }

        changed.AddRange(known.Keys); // they are gone
        if (changed.Count > 0 || IsWasteful(_entries))
        {
            using var change = journal.EnterToChange();
            CatchUp();
            Update(changed);
        }
    }

    /// <inheritdoc/>
    public void Change(string name, Action change)
    {
        change();
        try
        {
            CatchUp();
            Update([name]);
        }
        catch (Exception error) when (error is Engine.DtiException or IOException or UnauthorizedAccessException)
        {
            // The disk is full, and the concept is changed all the same. The next start of a host finds that.
            _listing.Apply([Look(name)]);
        }
    }

    /// <inheritdoc/>
    public void Dispose() { }

    /// <summary>Reads what other hosts have appended.</summary>
    private void CatchUp()
    {
        var index = new FileInfo(_path);
        if (!index.Exists || index.Length == _end)
        {
            return;
        }

        using var file = OpenToRead();
        var id = ConceptIndexEntry.ReadId(file);
        if (id != _id || file.Length < _end)
        {
            (_id, _end, _entries) = (id, ConceptIndexEntry.HeaderBytes, 0);
            _listing.Clear();
        }

        file.Position = _end;
        var entries = ConceptIndexEntry.ReadAll(file, out var end);
        _listing.Apply(entries);
        (_end, _entries) = (end, _entries + entries.Count);
    }

    /// <summary>Reads files again and appends what they describe. The lock of the folder is held.</summary>
    private void Update(List<string> names)
    {
        var entries = new ConceptIndexEntry[names.Count];
        Parallel.For(0, entries.Length, i => entries[i] = Look(names[i]));
        _listing.Apply(entries);
        if (!File.Exists(_path) || IsWasteful(_entries + entries.Length))
        {
            Rewrite();
        }
        else
        {
            Append(entries);
        }
    }

    /// <summary>Whether an index of so many entries should be rewritten, because most of them were replaced.</summary>
    private bool IsWasteful(int entries) => AppendedFile.IsWasteful(entries, _listing.Count);

    private ConceptIndexEntry Look(string name) => ConceptIndexEntry.Of(folder, name, read);

    private void Rewrite()
    {
        var id = Guid.NewGuid();
        AtomicFile.Write(
            _path,
            stream =>
            {
                var buffered = new BufferedStream(stream, 1 << 20); // not disposed of: the stream is the caller's
                buffered.Write(ConceptIndexEntry.Header(id));
                foreach (var entry in _listing.Entries)
                {
                    entry.WriteTo(buffered);
                }

                buffered.Flush();
            },
            files: _files
        );
        (_id, _end, _entries) = (id, new FileInfo(_path).Length, _listing.Count);
    }

    private void Append(ConceptIndexEntry[] entries)
    {
        using var content = new MemoryStream();
        Array.ForEach(entries, entry => entry.WriteTo(content));
        using var file = _files.Open(
            _path,
            new FileStreamOptions
            {
                Mode = FileMode.Open,
                Access = FileAccess.ReadWrite,
                Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = 0,
                Options = FileOptions.WriteThrough,
            }
        );
        file.SetLength(_end); // half an entry, which a killed process has left
        file.Position = _end;
        file.Write(content.GetBuffer().AsSpan(0, (int)content.Length));
        (_end, _entries) = (file.Position, _entries + entries.Length);
    }

    private FileStream OpenToRead() =>
        new(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
}
