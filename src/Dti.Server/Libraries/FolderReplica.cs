using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Dti.Engine;
using Dti.Engine.Runtime.Files;
using Dti.Server.ObjectStorage;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Libraries;

/// <summary>
/// This host's copy of a folder of the cluster. A change is an object, <c>NAME/changes/N</c>, which names the objects
/// with the contents (<c>NAME/files/…</c>); all hosts apply the changes in the order of their numbers. The number is
/// given by the cluster (<see cref="IChangeLog"/>) and only to a host that has applied all changes before, so that
/// nobody needs a lock: a host that was too late looks again at what there is now. Contents that lists do not need are
/// fetched when they are first read. It is called by one thread at a time.
/// </summary>
/// <param name="name">What is shared.</param>
/// <param name="folder">The copy, which is there.</param>
/// <param name="store">The storage.</param>
/// <param name="log">Numbers the changes.</param>
/// <param name="isListed">Whether the file at a place is needed by lists.</param>
/// <param name="time">The time.</param>
/// <param name="logger">Hears of a storage that does not answer.</param>
internal sealed class FolderReplica(
    string name,
    string folder,
    IObjectStore store,
    IChangeLog log,
    Func<string, bool> isListed,
    TimeProvider time,
    ILogger logger
) : IFolderReplication, IDisposable
{
    private const int CheckpointEvery = 1000; // changes, which a new host reads one by one
    private const int MaxBatch = 32; // objects that are fetched at once
    private const int Attempts = 3; // of an append whose outcome is not known, and of a change that is not complete
    private static readonly TimeSpan _readAgainAfter = TimeSpan.FromMilliseconds(50);

    // Changes are deleted when they are older (ReplicaLeftovers), and a host that has not seen them lacks the next one.
    private static readonly TimeSpan _farBehindAfter = Leftovers.MinAge / 2;
    private readonly ReplicaState _state = new(folder, $"{store.Location}/{name}");
    private long? _lookedAt;
    private DateTimeOffset? _lookedAtTime; // null: the next change may have been deleted
    private bool _isAway;
    private (long Number, ReplicatedChange Change)? _published;

    /// <summary>Does the applying of changes by other hosts, given the places that change.</summary>
    public Action<IReadOnlyList<string>, Action> Apply { get; init; } = (_, apply) => apply();

    /// <summary>Called before any file may be changed at once, by a checkpoint.</summary>
    public Action Restarting { get; init; } = () => { };

    /// <summary>What the keys of contents begin with.</summary>
    public string FilesPrefix => $"{name}/files/";

    /// <summary>What the keys of changes begin with.</summary>
    public string ChangesPrefix => $"{name}/changes/";

    /// <summary>What the keys of checkpoints begin with.</summary>
    public string CheckpointsPrefix => $"{name}/checkpoints/";

    /// <summary>The objects with the contents of all files.</summary>
    public IReadOnlySet<string> Keys => _state.Files.Select(file => file.Value.Key).ToHashSet(StringComparer.Ordinal);

    /// <summary>The folders that have files, relative to the folder.</summary>
    public IReadOnlySet<string> Folders =>
        _state.Files.Select(file => FolderOf(file.Key)).ToHashSet(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void CatchUp(FolderJournal journal, long arrived)
    {
        if (_lookedAt > arrived)
        {
            return;
        }

        var (now, date) = (Stopwatch.GetTimestamp(), time.GetUtcNow());
        try
        {
            // before the changes: those up to a checkpoint that is there have been there, too
            var checkpoint =
                _lookedAtTime is { } last && (date - last).Duration() < _farBehindAfter ? 0 : NewestCheckpoint();
            if (_state.Number == 0 && checkpoint > 0)
            {
                StartFrom(checkpoint);
            }

            ApplyAll(journal);
            if (_state.Number < checkpoint)
            {
                StartFrom(checkpoint); // the changes in between are deleted
                ApplyAll(journal);
            }

            (_lookedAt, _lookedAtTime) = (now, date);
            _isAway = false;
        }
        catch (Exception error) when (error is DtiException or IOException or UnauthorizedAccessException)
        {
            if (!_isAway)
            {
                logger.ReplicaBehind(folder, error.Message);
            }

            _isAway = true;
        }
    }

    /// <inheritdoc/>
    public void Publish(IReadOnlyList<FolderStep> steps)
    {
        _published = null;
        var change = new ReplicatedChange(Guid.NewGuid().ToString("N"), [.. steps.SelectMany(Upload)]);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (
                    log.AppendAsync(name, _state.Number, change.Format()).WaitForResult()
                    || ReadAsync(_state.Number + 1).WaitForResult()?.Id == change.Id // an attempt whose answer was lost
                )
                {
                    _published = (_state.Number + 1, change);
                    return;
                }

                break;
            }
            catch (DtiException error) when (StorageErrors.IsUnavailable(error) && attempt < Attempts)
            {
                // Whether it was appended is not known.
            }
        }

        DeleteObjects(change.Steps.Select(step => step.File?.Key).OfType<string>());
        _lookedAtTime = null;
        throw new FolderConflictException();
    }

    /// <inheritdoc/>
    public void Confirm()
    {
        var (number, change) = _published!.Value;
        DeleteObjects(_state.Apply(number, change));
        if (number % CheckpointEvery == 0)
        {
            Checkpoint();
        }
    }

    /// <summary>Fetches the content of a file that is not here yet, if there is one at a place.</summary>
    /// <exception cref="DtiException">The storage does not answer.</exception>
    /// <exception cref="FolderConflictException">Another host has just replaced the file.</exception>
    public void Fetch(string place)
    {
        var path = Path.Combine(folder, place);
        if (_state.Find(place) is { } file && !File.Exists(path))
        {
            PrivateFolder.Make(Path.GetDirectoryName(path)!);
            AtomicFile.WriteAllBytes(path, Content(file));
        }
    }

    /// <summary>Bytes of the files whose places begin with a prefix, here or not.</summary>
    public long BytesOf(string prefix) =>
        _state
            .Files.Where(file => file.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Sum(file => file.Value.Length);

    /// <inheritdoc/>
    public void Dispose() => _state.Dispose();

    private static string FolderOf(string place) => place[..Math.Max(0, place.LastIndexOf('/'))];

    private string CheckpointKey(long number) =>
        string.Create(CultureInfo.InvariantCulture, $"{CheckpointsPrefix}{number:D12}");

    /// <summary>The number of the newest checkpoint; 0: there is none.</summary>
    private long NewestCheckpoint() =>
        store.ListAsync(CheckpointsPrefix).WaitForResult() is [.., var newest] ? IChangeLog.NumberOf(newest.Key) : 0;

    private async Task<ReplicatedChange?> ReadAsync(string key)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await store.GetAsync(key) is not { } bytes)
            {
                return null;
            }

            if (ReplicatedChange.Parse(bytes) is { } change)
            {
                return change;
            }

            if (attempt == Attempts)
            {
                throw StorageErrors.Refused(
                    store.Location,
                    $"{key} is not a change of a library",
                    "Restore the storage from a backup."
                );
            }

            await Task.Delay(_readAgainAfter); // a storage that is less strict than S3 shows what is being written
        }
    }

    private Task<ReplicatedChange?> ReadAsync(long number) => ReadAsync(IChangeLog.KeyOf(name, number));

    private void ApplyAll(FolderJournal journal)
    {
        for (var batch = 1; ApplyNext(journal, batch) == batch; batch = Math.Min(2 * batch, MaxBatch)) { }
    }

    /// <summary>Applies the next changes.</summary>
    /// <param name="journal">The folder.</param>
    /// <param name="count">At most.</param>
    /// <returns>How many there were.</returns>
    private int ApplyNext(FolderJournal journal, int count)
    {
        var first = _state.Number + 1;
        var changes = Task.WhenAll(Enumerable.Range(0, count).Select(i => ReadAsync(first + i))).WaitForResult();
        var applied = 0;
        foreach (var change in changes.TakeWhile(change => change is not null))
        {
            Apply([.. change!.Steps.Select(step => step.Place)], () => ApplyTo(journal, change));
            _state.Apply(first + applied++, change);
        }

        return applied;
    }

    private void ApplyTo(FolderJournal journal, ReplicatedChange change)
    {
        if (change.Steps.Count == 0)
        {
            return;
        }

        using var local = journal.BeginReplicated();
        foreach (var (place, file) in change.Steps)
        {
            if (file is not null && isListed(place) && store.GetAsync(file.Key).WaitForResult() is { } content)
            {
                local.Add(place, stream => stream.Write(content));
            }
            else
            {
                local.Remove(place); // fetched when it is read; or a later change has replaced it
            }
        }

        local.Commit();
    }

    /// <summary>
    /// Makes the copy that of a checkpoint, whatever it was. If that is interrupted it is done again: the state comes
    /// last.
    /// </summary>
    private void StartFrom(long number)
    {
        var files = ReadAsync(CheckpointKey(number)).WaitForResult()
            ?? throw StorageErrors.NoAnswer(store.Location, "its newest checkpoint has just been deleted");
        Restarting();
        var keys = files.Steps.ToDictionary(step => step.Place, step => step.File!.Key, StringComparer.Ordinal);
        var folders = keys.Keys.Select(FolderOf).ToHashSet(StringComparer.Ordinal);
        foreach (var (place, _) in _state.Files.Where(file => file.Value.Key != keys.GetValueOrDefault(file.Key)))
        {
            if (
                FolderOf(place) is { Length: > 0 } inside
                && !folders.Contains(inside)
                && Directory.Exists(Path.Combine(folder, inside))
            )
            {
                Directory.Delete(Path.Combine(folder, inside), recursive: true);
            }

            if (!keys.ContainsKey(place) || !isListed(place))
            {
                DeleteFile(place); // fetched when it is read, if there is one
            }
        }

        try
        {
            Parallel.ForEach(
                files.Steps.Where(step => isListed(step.Place) && _state.Find(step.Place)?.Key != step.File!.Key),
                new ParallelOptions { MaxDegreeOfParallelism = MaxBatch },
                step => FetchNow(step.Place, step.File!)
            );
        }
        catch (AggregateException error)
        {
            ExceptionDispatchInfo.Throw(error.InnerExceptions[0]);
        }

        _state.Reset(number, files);
    }

    private void FetchNow(string place, ReplicatedFile file)
    {
        var path = Path.Combine(folder, place);
        if (store.GetAsync(file.Key).WaitForResult() is not { } content)
        {
            DeleteFile(place); // a later change has replaced it
        }
        else if (File.Exists(path))
        {
            AtomicFile.WriteAllBytes(path, content);
        }
        else
        {
            PrivateFolder.Make(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }
    }

    private void DeleteFile(string place)
    {
        var path = Path.Combine(folder, place);
        if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    private void Checkpoint()
    {
        try
        {
            store.PutAsync(CheckpointKey(_state.Number), _state.ToChange().Format()).WaitFor();
        }
        catch (DtiException)
        {
            // A new host starts from the checkpoint before, and reads more changes.
        }
    }

    private IEnumerable<(string Place, ReplicatedFile? File)> Upload(FolderStep step)
    {
        if (step.Content is null)
        {
            return [(step.Place, null)];
        }

        return Directory.Exists(step.Content)
            ?
            [
                (step.Place, null),
                .. Directory
                    .EnumerateFiles(step.Content)
                    .Select(file => ($"{step.Place}/{Path.GetFileName(file)}", Upload(file))),
            ]
            : [(step.Place, Upload(step.Content))];
    }

    private ReplicatedFile? Upload(string path)
    {
        var (content, key) = (File.ReadAllBytes(path), $"{FilesPrefix}{Guid.NewGuid():N}");
        store.PutAsync(key, content).WaitFor();
        return new ReplicatedFile(key, content.Length);
    }

    private byte[] Content(ReplicatedFile file) =>
        store.GetAsync(file.Key).WaitForResult() ?? throw new FolderConflictException(); // another host has replaced it

    private void DeleteObjects(IEnumerable<string> keys)
    {
        foreach (var key in keys)
        {
            try
            {
                store.DeleteAsync(key).WaitFor();
            }
            catch (DtiException)
            {
                // An object that nothing refers to costs space, and has no other effect.
            }
        }
    }
}
