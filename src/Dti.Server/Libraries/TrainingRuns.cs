using System.Text;
using Dti.Engine;
using Dti.Engine.Concepts;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Training;
using Dti.Server.Configuration;
using Dti.Server.Errors;
using Dti.Server.ObjectStorage;
using Dti.Server.Security;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dti.Server.Libraries;

/// <summary>
/// Trainings that can be resumed, keyed by the name of their concept: a folder <c>.runs/NAME</c> in the library, with
/// the request as it was accepted (<c>request.binpb</c>, photos included), whose it is (<c>owner</c>), the concept that
/// it started from, and a snapshot per kept step (<see cref="RunSnapshots"/>). It is deleted when its concept is deleted
/// or replaced. A run is replaced as a whole, even if the process is killed meanwhile.
/// </summary>
internal sealed class TrainingRuns : IDisposable
{
    private const string RequestFile = "request.binpb";
    private const string StartFile = "start.concept";
    private const string OwnerFile = "owner";
    private readonly string _folder;
    private readonly IFileStore? _files;
    private readonly FolderReplica? _replica; // null: the runs are this server's, or the hosts share the folder
    private readonly SharedSnapshots? _shared; // with a replica
    private readonly FolderJournal _journal;
    private readonly ReplicaLeftovers? _leftovers; // with a replica
    private readonly Dictionary<string, int> _held = new(StringComparer.Ordinal); // guarded by the journal

    public TrainingRuns(
        DtiServerOptions options,
        IFileStore? files = null,
        IObjectStore? store = null,
        IChangeLog? log = null,
        ILogger<TrainingRuns>? logger = null,
        TimeProvider? time = null
    )
    {
        _files = files;
        _folder = Path.Combine(Path.GetFullPath(options.ConceptFolder), ".runs");
        try
        {
            PrivateFolder.Make(_folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A folder that cannot be written is reported when a training starts.
        }

        if (store is not null)
        {
            _replica = new FolderReplica(
                "runs",
                _folder,
                store,
                log!,
                isListed: place => Path.GetFileName(place) is OwnerFile or RunSnapshots.PointerFile,
                time ?? TimeProvider.System,
                logger ?? NullLogger<TrainingRuns>.Instance
            );
            _shared = new SharedSnapshots(store);
        }

        _journal = new FolderJournal(_folder, files, _replica);
        _leftovers = _replica is null ? null : new ReplicaLeftovers(_replica, _journal, store!);
        // in a cluster, another host may be about to rename a draft
        _journal.Tidy(options.Cluster.IsUsed ? [] : [.. Names().Select(FolderOf)]);
    }

    /// <summary>Begins a run; an older one of that name goes.</summary>
    /// <param name="request">With every choice of the server filled in.</param>
    /// <param name="start">The concept to start from; null: none.</param>
    /// <param name="caller">Whose run it is.</param>
    /// <param name="attempt">What trains it.</param>
    /// <param name="ensure">Throws where the attempt has lost its job; nothing is changed between this and the
    /// run.</param>
    /// <exception cref="DtiException">There is one of that name that the caller may not see.</exception>
    /// <exception cref="DtiException">The disk is full or the folder cannot be written.</exception>
    public void Begin(
        TrainRequest request,
        ConceptEmbedding? start,
        Caller caller,
        RunAttempt attempt,
        Action? ensure = null
    )
    {
        _journal.Change(change =>
        {
            EnsureFree(request.Name, caller);
            ensure?.Invoke();
            BeginIn(change, request, start, caller, attempt);
            return true;
        });
        _shared?.DeleteAll(request.Name); // of the run that was replaced
    }

    private static void BeginIn(
        FolderChange change,
        TrainRequest request,
        ConceptEmbedding? start,
        Caller caller,
        RunAttempt attempt
    )
    {
        var files = new List<(string Name, Action<Stream> Write)>
        {
            (OwnerFile, Text(caller.Id)),
            (RunSnapshots.PointerFile, Text(RunSnapshots.Pointer(attempt, fromStep: 0))),
            (RequestFile, request.WriteTo),
        };
        if (start is not null)
        {
            files.Add((StartFile, stream => ConceptFile.Write(stream, start, ConceptFileFormat.WebUi)));
        }

        change.AddFolder(Valid(request.Name), files);
        change.Commit();
    }

    /// <summary>Notes what a run that continues was asked for. Its snapshot becomes one of the attempt's own.</summary>
    /// <inheritdoc cref="Begin"/>
    public void Continue(TrainRequest request, RunAttempt attempt, Action? ensure = null) =>
        _journal.Change(change =>
        {
            ensure?.Invoke();
            ContinueIn(change, request, attempt);
            return true;
        });

    private void ContinueIn(FolderChange change, TrainRequest request, RunAttempt attempt)
    {
        if (!Directory.Exists(FolderOf(request.Name)))
        {
            throw new DtiException(ErrorKind.FailedPrecondition, $"The training of '{request.Name}' was deleted.");
        }

        var kept = request.Clone();
        kept.Resume = null;
        var step = request.Resume?.FromStep ?? 0;
        change.Add(
            Path.Combine(Valid(request.Name), RunSnapshots.PointerFile),
            Text(RunSnapshots.Pointer(attempt, step))
        );
        if (Snapshots(request.Name).PathOf(step) is { } from)
        {
            var (own, content) = (RunSnapshots.NameOf(attempt, step), File.ReadAllBytes(from));
            if (_shared is null)
            {
                change.Add(Path.Combine(Valid(request.Name), own), stream => stream.Write(content));
            }
            else
            {
                _shared.Save(request.Name, own, content); // does not count before the change does
            }
        }

        change.Add(Path.Combine(Valid(request.Name), RequestFile), kept.WriteTo);
        change.Commit();
    }

    /// <summary>Refuses a name that the run of another caller has.</summary>
    /// <exception cref="DtiException">There is one that the caller may not see.</exception>
    public void EnsureFree(string name, Caller caller)
    {
        using var alone = _journal.Enter();
        if (File.Exists(PathOf(name, RequestFile)) && !caller.MaySee(Owner(name)))
        {
            throw CallerConcepts.NameTaken(name);
        }
    }

    /// <summary>The request that began a run.</summary>
    /// <exception cref="DtiException">There is none of that name that the caller may see; close ones are
    /// listed.</exception>
    public TrainRequest Request(string name, Caller caller)
    {
        using var alone = _journal.Enter();
        var file = PathOf(name, RequestFile);
        try
        {
            return File.Exists(file) && caller.MaySee(Owner(name))
                ? TrainRequest.Parser.ParseFrom(File.ReadAllBytes(file))
                : throw Refusals.NotFound("training", name, Names().Where(other => caller.MaySee(Owner(other))));
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{file} cannot be read: {error.Message}",
                innerException: error
            );
        }
    }

    /// <summary>The concept that a run started from; null: none.</summary>
    public ConceptEmbedding? Start(string name)
    {
        using var alone = _journal.Enter();
        return File.Exists(PathOf(name, StartFile)) ? ConceptFile.Read(PathOf(name, StartFile), $"<{name}>") : null;
    }

    /// <summary>The job that trains or trained a run; null: none is known.</summary>
    public string? JobOf(string name)
    {
        using var alone = _journal.Enter();
        return File.Exists(PathOf(name, RequestFile)) ? Snapshots(name).Current?.Attempt.JobId : null;
    }

    /// <summary>The newest step from which a job that was interrupted continues its run, below a step; 0: none.</summary>
    public int LastStep(string name, string jobId, int below)
    {
        using var alone = _journal.Enter();
        return Snapshots(name).LastStep(jobId, below);
    }

    /// <summary>Steps whose snapshots are kept, in order.</summary>
    public IReadOnlyList<int> Steps(string name)
    {
        using var alone = _journal.Enter();
        return Snapshots(name).Steps;
    }

    /// <summary>A kept snapshot. The caller disposes of it.</summary>
    /// <exception cref="DtiException">It cannot be read.</exception>
    public TrainingSnapshot Load(string name, int step)
    {
        using var alone = _shared is null ? default : _journal.Enter(); // it may be fetched
        return TrainingSnapshot.Read(
            Snapshots(name).PathOf(step)
                ?? throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"The training of '{name}' has no snapshot of step {step} any more."
                )
        );
    }

    /// <summary>
    /// Saves a snapshot; the newest before it goes, unless it is one to keep. An attempt that has lost its job only
    /// writes and deletes files of its own.
    /// </summary>
    /// <param name="name">The concept.</param>
    /// <param name="attempt">What trains it.</param>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="keepEvery">Steps between those that stay; 0: none does.</param>
    /// <exception cref="DtiException">The disk is full or the folder cannot be written; what was there is still
    /// there.</exception>
    public void Save(string name, RunAttempt attempt, TrainingSnapshot snapshot, int keepEvery)
    {
        using var alone = _journal.Enter();
        var own = RunSnapshots.NameOf(attempt, snapshot.Step);
        snapshot.Write(Path.Combine(FolderOf(name), own), _files);
        _shared?.Save(name, own, File.ReadAllBytes(Path.Combine(FolderOf(name), own)));
        foreach (var file in Snapshots(name).Obsolete(attempt, snapshot.Step, keepEvery))
        {
            _shared?.Delete(name, Path.GetFileName(file));
            File.Delete(file);
        }

        Snapshots(name).DeleteDrafts(attempt, _files);
    }

    /// <summary>Bytes on disk of the runs that belong to an owner.</summary>
    public long BytesOf(string owner)
    {
        using var alone = _journal.Enter();
        return Names()
            .Where(name => ReadOwner(name) == owner)
            .Sum(name =>
                _replica is null
                    ? new DirectoryInfo(FolderOf(name)).EnumerateFiles().Sum(file => file.Length)
                    : _replica.BytesOf(name + "/") + _shared!.BytesOf(name)
            );
    }

    /// <summary>
    /// Keeps a run until the scope is disposed of, whatever becomes of the concept of its name: a job trains it.
    /// </summary>
    public IDisposable Hold(string name)
    {
        using var alone = _journal.Enter();
        _held[name] = _held.GetValueOrDefault(name) + 1;
        return new Held(this, name);
    }

    /// <summary>Deletes a run, if there is one that the caller may access and no job is training.</summary>
    public void Delete(string name, Caller caller)
    {
        if (_journal.Change(change => DeleteIn(change, name, caller)))
        {
            _shared?.DeleteAll(name);
        }
    }

    /// <summary>Deletes what no host needs any more from the storage of the cluster, if there is one.</summary>
    /// <exception cref="DtiException">The storage or the database does not answer.</exception>
    public void DeleteLeftovers(DateTimeOffset now)
    {
        _leftovers?.Delete(now);
        _leftovers?.DeleteUnreferenced(SharedSnapshots.Prefix, now, () => _replica!.Folders, SharedSnapshots.RunOf);
    }

    /// <inheritdoc/>
    public void Dispose() => _replica?.Dispose();

    private bool DeleteIn(FolderChange change, string name, Caller caller)
    {
        if (!Directory.Exists(FolderOf(name)) || !caller.MaySee(Owner(name)) || _held.ContainsKey(name))
        {
            return false;
        }

        try
        {
            change.RemoveNow(name);
            return true;
        }
        catch (IOException error)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The training of '{name}' is being written by another server; try again when it has ended.",
                innerException: error
            );
        }
    }

    private IEnumerable<string> Names() =>
        Directory.Exists(_folder)
            ? Directory
                .EnumerateDirectories(_folder)
                .Select(folder => Path.GetFileName(folder))
                .Where(ConceptNames.IsValid)
            : [];

    /// <summary>Whose a run is; empty: nobody's in particular, as of an older version.</summary>
    public string Owner(string name)
    {
        using var alone = _journal.Enter();
        return ReadOwner(name);
    }

    private string ReadOwner(string name) =>
        File.Exists(PathOf(name, OwnerFile)) ? File.ReadAllText(PathOf(name, OwnerFile)) : "";

    private static Action<Stream> Text(string text) => stream => stream.Write(Encoding.UTF8.GetBytes(text));

    private static string Valid(string name) =>
        ConceptNames.IsValid(name)
            ? name
            : throw new DtiException(ErrorKind.InvalidArgument, $"name must be {ConceptNames.Rule}.", "name");

    private string FolderOf(string name) => Path.Combine(_folder, Valid(name));

    private string PathOf(string name, string file)
    {
        _replica?.Fetch($"{Valid(name)}/{file}");
        return Path.Combine(FolderOf(name), file);
    }

    private RunSnapshots Snapshots(string name)
    {
        _shared?.Fetch(name, FolderOf(name));
        return new(FolderOf(name));
    }

    private void Release(string name)
    {
        using var alone = _journal.Enter();
        if (--_held[name] == 0)
        {
            _held.Remove(name);
        }
    }

    private sealed class Held(TrainingRuns runs, string name) : IDisposable
    {
        private bool _released;

        public void Dispose()
        {
            if (!_released)
            {
                _released = true;
                runs.Release(name);
            }
        }
    }
}
