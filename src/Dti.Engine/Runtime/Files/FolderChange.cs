namespace Dti.Engine.Runtime.Files;

/// <summary>
/// A change of a folder under way: until it is disposed nobody else changes the folder. What is not committed by then
/// does not happen.
/// </summary>
public sealed class FolderChange : IDisposable
{
    private readonly FolderJournal _journal;
    private readonly FileStream _held;
    private readonly List<(string Place, string Staged)> _steps = [];

    private readonly Lock? _alone;
    private readonly bool _isReplicated;

    internal FolderChange(FolderJournal journal, FileStream held, Lock? alone, bool isReplicated) =>
        (_journal, _held, _alone, _isReplicated) = (journal, held, alone, isReplicated);

    /// <summary>Writes a file that is to come.</summary>
    /// <param name="place">Where, relative to the folder; a file there is replaced.</param>
    /// <param name="write">Writes the content.</param>
    /// <returns>Where it is until <see cref="Commit"/>.</returns>
    /// <exception cref="DtiException">The disk is full (<see cref="ErrorKind.ResourceExhausted"/>), or the folder
    /// cannot be written.</exception>
    public string Add(string place, Action<Stream> write)
    {
        var staged = _journal.Stage();
        AtomicFile.WriteNew(staged, place, write, files: _journal.Files);
        _steps.Add((place, Path.GetFileName(staged)));
        return staged;
    }

    /// <summary>Writes a folder that is to come.</summary>
    /// <param name="place">Where, relative to the folder; a folder there is replaced with all that is in it.</param>
    /// <param name="files">Names, and what writes the contents.</param>
    /// <exception cref="DtiException">The disk is full (<see cref="ErrorKind.ResourceExhausted"/>), or the folder
    /// cannot be written.</exception>
    public void AddFolder(string place, IEnumerable<(string Name, Action<Stream> Write)> files)
    {
        var staged = _journal.Stage();
        try
        {
            Directory.CreateDirectory(staged);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explain(place, error);
        }

        foreach (var (name, write) in files)
        {
            AtomicFile.WriteNew(Path.Combine(staged, name), name, write, files: _journal.Files);
        }

        _steps.Add((place, Path.GetFileName(staged)));
    }

    /// <summary>Notes what is to go.</summary>
    /// <param name="place">A file or a folder, relative to the folder, there or not.</param>
    public void Remove(string place) => _steps.Add((place, ""));

    /// <summary>Takes a file or a folder away now, without a commit: a full disk has room for that.</summary>
    /// <param name="place">Relative to the folder, there or not.</param>
    /// <exception cref="IOException">It cannot be taken away.</exception>
    public void RemoveNow(string place) => _journal.RemoveNow(place);

    /// <summary>Lets all that was noted happen, in that order.</summary>
    /// <exception cref="DtiException">The disk is full or the folder cannot be written; nothing has
    /// happened.</exception>
    /// <exception cref="FolderConflictException">Another machine has changed its folder meanwhile; nothing has
    /// happened.</exception>
    public void Commit() => _journal.Commit(_steps, _isReplicated);

    /// <summary>Ends the change, and lets others at the folder.</summary>
    public void Dispose()
    {
        try
        {
            _journal.End(_held);
        }
        finally
        {
            _alone?.Exit();
        }
    }
}
