using System.Diagnostics;

namespace Dti.Engine.Runtime.Files;

/// <summary>
/// A folder whose files and folders change several at a time, wholly or not at all, also if the process is killed in
/// between, and whichever process does it. What is new is first written to <c>.change</c> below the folder; then one
/// rename of a list of it (<c>.change/committed</c>) makes it count; then it is put into its place. Who changes holds
/// <c>.change/lock</c>, which ends with the process: what the next holder finds there it finishes if it counts, and
/// deletes if it does not.
/// </summary>
/// <param name="folder">The folder; it is made when something is to be changed.</param>
/// <param name="files">The disk; null: the system's.</param>
/// <param name="replication">Shares each change with other machines; null: the folder is of this machine alone, or of
/// machines that all open it.</param>
public sealed class FolderJournal(string folder, IFileStore? files = null, IFolderReplication? replication = null)
{
    // The longest change writes a training's photos.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(5);
    private const int MaxConflicts = 20; // other machines' changes that a change begins again for
    private const long MaxCommitted = 1 << 20; // a line for each file of a change
    private readonly Lock _threads = new();
    private readonly string _area = Path.Combine(folder, ".change");

    /// <summary>The folder.</summary>
    internal string Folder { get; } = folder;

    /// <summary>The disk.</summary>
    internal IFileStore Files { get; } = files ?? PhysicalFileStore.Instance;

    private string LockPath => Path.Combine(_area, "lock");

    private string Committed => Path.Combine(_area, "committed");

    /// <summary>
    /// Keeps other threads of this process out until the scope is disposed, and finishes what a process that was killed
    /// left to do.
    /// </summary>
    /// <exception cref="DtiException">It cannot be finished.</exception>
    public Lock.Scope Enter()
    {
        var arrived = Stopwatch.GetTimestamp();
        var isInside = _threads.IsHeldByCurrentThread;
        var alone = _threads.EnterScope();
        try
        {
            if (File.Exists(Committed))
            {
                Begin().Dispose();
            }

            if (!isInside)
            {
                replication?.CatchUp(this, arrived);
            }

            return alone;
        }
        catch
        {
            alone.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Begins a change, or anything that no other process must do at the same time in this folder. It cannot be begun
    /// twice.
    /// </summary>
    /// <exception cref="DtiException">The disk is full, the folder cannot be written, or another process has been
    /// changing it for half a minute.</exception>
    public FolderChange Begin() => TryBegin(_patience) ?? throw Held();

    /// <summary>Begins a change that comes from another machine, and is not shared again.</summary>
    /// <exception cref="DtiException">As <see cref="Begin"/>.</exception>
    public FolderChange BeginReplicated() => TryBegin(_patience, isReplicated: true) ?? throw Held();

    /// <summary>
    /// Changes the folder while other threads of this process are kept out. If another machine changes its folder
    /// first, the change begins again.
    /// </summary>
    /// <param name="change">Notes the change and commits it.</param>
    /// <exception cref="DtiException">As <see cref="Begin"/>.</exception>
    /// <exception cref="FolderConflictException">Other machines do not cease to change theirs.</exception>
    public T Change<T>(Func<FolderChange, T> change)
    {
        for (var conflicts = 0; ; conflicts++)
        {
            try
            {
                using var begun = EnterToChange();
                return change(begun);
            }
            catch (FolderConflictException) when (conflicts < MaxConflicts)
            {
                // The next attempt begins with what there is now. Machines that met wait for different times.
                Thread.Sleep(Random.Shared.Next((conflicts + 1) * (int)_pause.TotalMilliseconds));
            }
        }
    }

    /// <summary>
    /// Begins a change and keeps other threads of this process out until it is disposed of, by the same thread. They
    /// can read while another process is changing the folder.
    /// </summary>
    /// <exception cref="DtiException">As <see cref="Begin"/>.</exception>
    public FolderChange EnterToChange()
    {
        for (var start = Stopwatch.GetTimestamp(); ; Thread.Sleep(_pause))
        {
            var arrived = Stopwatch.GetTimestamp();
            _threads.Enter();
            FolderChange? change = null;
            try
            {
                replication?.CatchUp(this, arrived);
                change = TryBegin(TimeSpan.Zero, _threads);
                if (change is not null)
                {
                    return change;
                }
            }
            finally
            {
                if (change is null)
                {
                    _threads.Exit();
                }
            }

            if (Stopwatch.GetElapsedTime(start) >= _patience)
            {
                throw Held();
            }
        }
    }

    /// <summary>
    /// For the start of a server: finishes or clears away what killed processes left, if no other process is at it.
    /// Never fails.
    /// </summary>
    /// <param name="drafts">Also drafts (<see cref="AtomicFile.Draft"/>) of which folders, which are written only
    /// between <see cref="Begin"/> and its end.</param>
    public void Tidy(params ReadOnlySpan<string> drafts)
    {
        try
        {
            using var change = TryBegin(TimeSpan.Zero);
            if (change is not null)
            {
                foreach (var place in drafts)
                {
                    AtomicFile.DeleteDrafts(place, files: Files);
                }
            }
        }
        catch (Exception error) when (error is DtiException or IOException or UnauthorizedAccessException)
        {
            // A folder that can only be read has nothing to be tidied.
        }
    }

    /// <summary>A new name in <c>.change</c>.</summary>
    internal string Stage() => Path.Combine(_area, Guid.NewGuid().ToString("N"));

    /// <summary>Makes a change count, and puts it into its place.</summary>
    /// <param name="steps">The places in order, relative to the folder, each with the name in <c>.change</c> of what
    /// comes there; empty: it goes.</param>
    /// <param name="isReplicated">Whether it comes from another machine.</param>
    internal void Commit(IReadOnlyList<(string Place, string Staged)> steps, bool isReplicated)
    {
        var isPublished = !isReplicated && Publish(steps);
        if (steps.Count == 0) // a change that only gets a number
        {
            if (isPublished)
            {
                replication!.Confirm();
            }

            return;
        }

        try
        {
            AtomicFile.WriteAllText(
                Committed,
                string.Concat(steps.Select(step => $"{step.Staged}\t{step.Place}\n")),
                Files
            );
        }
        catch (DtiException) when (isPublished)
        {
            return; // The change is in effect on all machines; this one applies it again when it has room.
        }

        try
        {
            Finish();
            if (isPublished)
            {
                replication!.Confirm();
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The change is already in effect; the next process finishes it.
        }
    }

    /// <summary>Deletes all that does not count, and lets others at the folder.</summary>
    internal void End(FileStream held)
    {
        try
        {
            if (!File.Exists(Committed))
            {
                foreach (var entry in Directory.EnumerateFileSystemEntries(_area).Where(entry => entry != LockPath))
                {
                    AtomicFile.TryDelete(entry, Files);
                }
            }
        }
        finally
        {
            held.Dispose();
        }
    }

    private DtiException Held() =>
        new(
            ErrorKind.FailedPrecondition,
            $"Another process is changing {Folder} and does not come to an end; try again, or look what it does."
        );

    private bool Publish(IEnumerable<(string Place, string Staged)> steps)
    {
        replication?.Publish([
            .. steps.Select(step => new FolderStep(
                step.Place.Replace('\\', '/'),
                step.Staged.Length == 0 ? null : Path.Combine(_area, step.Staged)
            )),
        ]);
        return replication is not null;
    }

    private FolderChange? TryBegin(TimeSpan patience, Lock? alone = null, bool isReplicated = false)
    {
        FileStream? held = null;
        try
        {
            PrivateFolder.MakeOrClose(_area);
            held = LockFile.TryHold(LockPath, patience, ownerOnly: true, Files);
            if (held is null)
            {
                return null;
            }

            if (File.Exists(Committed))
            {
                Finish();
            }

            return new FolderChange(this, held, alone, isReplicated);
        }
        catch (Exception error)
        {
            held?.Dispose();
            throw error is IOException or UnauthorizedAccessException ? AtomicFile.Explain(Folder, error) : error;
        }
    }

    // Each step can be done again: what is no longer in .change is in its place, and nobody else puts anything there
    // meanwhile.
    private void Finish()
    {
        foreach (
            var step in RegularFile
                .ReadAllText(Committed, MaxCommitted)
                .Split('\n')
                .Select(line => line.Split('\t'))
                .Where(step => step.Length == 2)
        )
        {
            var place = Path.Combine(Folder, step[1]);
            if (step[0].Length == 0)
            {
                Remove(place);
            }
            else if (Path.Combine(_area, step[0]) is var staged && Path.Exists(staged))
            {
                if (Directory.Exists(place))
                {
                    Remove(place);
                }
                else if (Path.GetDirectoryName(place) is { } parent && !Directory.Exists(parent))
                {
                    PrivateFolder.Make(parent);
                }

                Files.Move(staged, place);
            }
        }

        Files.Delete(Committed);
    }

    /// <summary>Takes a file or a folder away at once, on all machines.</summary>
    /// <param name="place">Relative to the folder.</param>
    internal void RemoveNow(string place)
    {
        var isPublished = Publish([(place, "")]);
        Remove(Path.Combine(Folder, place));
        if (isPublished)
        {
            replication!.Confirm();
        }
    }

    /// <summary>Takes a file or a folder away at once; what is in a folder is deleted when the change ends.</summary>
    private void Remove(string place)
    {
        if (Directory.Exists(place))
        {
            Files.Move(place, Stage());
        }
        else if (File.Exists(place))
        {
            Files.Delete(place);
        }
    }
}
