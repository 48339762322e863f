namespace Dti.Engine.Runtime.Files;

/// <summary>
/// Shares the changes of a folder (<see cref="FolderJournal"/>) with the same folder on other machines. It is called by
/// one thread at a time.
/// </summary>
public interface IFolderReplication
{
    /// <summary>
    /// Applies what other machines have changed, by <see cref="FolderJournal.BeginReplicated"/>. If it cannot be asked
    /// for, the folder stays as it is.
    /// </summary>
    /// <param name="journal">The folder.</param>
    /// <param name="arrived">When the caller came (<see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>): what was
    /// applied after that need not be asked for again.</param>
    /// <exception cref="DtiException">The folder cannot be written.</exception>
    void CatchUp(FolderJournal journal, long arrived);

    /// <summary>Makes a change the next one of all machines.</summary>
    /// <param name="steps">What it does, in order.</param>
    /// <exception cref="FolderConflictException">Another machine has changed its folder meanwhile.</exception>
    /// <exception cref="DtiException">It cannot be shared; nothing has happened.</exception>
    void Publish(IReadOnlyList<FolderStep> steps);

    /// <summary>The change that was published is in place on this machine.</summary>
    void Confirm();
}

/// <summary>A step of a change of a folder.</summary>
/// <param name="Place">A file or a folder, relative to the folder; what is there goes.</param>
/// <param name="Content">The file or the folder that comes there; null: none.</param>
public sealed record FolderStep(string Place, string? Content);

/// <summary>
/// Another machine has changed the folder since this work began. A change begins again
/// (<see cref="FolderJournal.Change"/>).
/// </summary>
public sealed class FolderConflictException : DtiException
{
    /// <summary>Creates the error.</summary>
    public FolderConflictException()
        : base(ErrorKind.Unavailable, "Another host has just changed the library; try again.")
    {
        Reason = "LIBRARY_CHANGED";
        RetryAfter = TimeSpan.FromSeconds(1);
    }
}
