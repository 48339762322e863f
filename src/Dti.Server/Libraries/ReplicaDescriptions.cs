using Dti.V1;

namespace Dti.Server.Libraries;

/// <summary>
/// The descriptions in a host's copy of a library (<see cref="FolderReplica"/>), which no other program changes: each is
/// read once, and again when it changes. Not thread-safe.
/// </summary>
/// <param name="folder">The copy.</param>
/// <param name="read">Reads a description; null: it cannot be read. Several are read at once.</param>
internal sealed class ReplicaDescriptions(string folder, Func<string, Concept?> read) : IConceptList
{
    private readonly ConceptListing _listing = new();
    private bool _isRead;
    private int _changes;

    /// <inheritdoc/>
    public IReadOnlyList<Concept> List()
    {
        if (!_isRead)
        {
            Replace(ReadAll(CancellationToken.None));
        }

        return _listing.Concepts;
    }

    /// <inheritdoc/>
    public void ReadAhead(Action<Action> alone, CancellationToken cancellationToken)
    {
        var changes = 0;
        alone(() => changes = _changes); // the copy is brought up to date before
        var entries = ReadAll(cancellationToken);
        alone(() =>
        {
            if (!_isRead && changes == _changes)
            {
                Replace(entries);
            }
        });
    }

    /// <inheritdoc/>
    public void Change(string name, Action change)
    {
        change();
        _changes++;
        if (_isRead)
        {
            _listing.Apply([ConceptIndexEntry.Of(folder, name, read)]);
        }
    }

    /// <summary>Any of them may have changed.</summary>
    public void Reset() => (_isRead, _changes) = (false, _changes + 1);

    /// <inheritdoc/>
    public void Dispose() { }

    private void Replace(ConceptIndexEntry[] entries)
    {
        _listing.Clear();
        _listing.Apply(entries);
        _isRead = true;
    }

    private ConceptIndexEntry[] ReadAll(CancellationToken cancellationToken)
    {
        string[] names = [.. ConceptDescriptions.FilesOf(folder).Select(file => file.Name)];
        var entries = new ConceptIndexEntry[names.Length];
        Parallel.For(0, names.Length, new ParallelOptions { CancellationToken = cancellationToken }, i =>
            entries[i] = ConceptIndexEntry.Of(folder, names[i], read)
        );
        return entries;
    }
}
