using System.Globalization;
using System.Text;
using Dti.Engine;
using Dti.Engine.Concepts;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Training;
using Dti.Server.Configuration;
using Dti.Server.Errors;
using Dti.Server.Security;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Libraries;

/// <summary>
/// Trainings that can be resumed, keyed by the name of their concept: a folder <c>.runs/NAME</c> in the library, with
/// the request as it was accepted (<c>request.binpb</c>, photos included), whose it is (<c>owner</c>), the concept that
/// it started from, and a snapshot per kept step (<c>000100.safetensors</c>). It is deleted when its concept is deleted
/// or replaced. A run is replaced as a whole, even if the process is killed meanwhile.
/// </summary>
internal sealed class TrainingRuns
{
    private const string RequestFile = "request.binpb";
    private const string StartFile = "start.concept";
    private const string OwnerFile = "owner";
    private const string JobFile = "job";
    private const string SnapshotEnding = ".safetensors";
    private readonly string _folder;
    private readonly IFileStore? _files;
    private readonly FolderJournal _journal;
    private readonly Dictionary<string, int> _held = new(StringComparer.Ordinal); // guarded by the journal

    public TrainingRuns(DtiServerOptions options, IFileStore? files = null)
    {
        _files = files;
        _folder = Path.Combine(Path.GetFullPath(options.ConceptFolder), ".runs");
        _journal = new FolderJournal(_folder, files);
        try
        {
            PrivateFolder.Make(_folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A folder that cannot be written is reported when a training starts.
        }

        _journal.Tidy([.. Names().Select(FolderOf)]);
    }

    /// <summary>Begins a run; an older one of that name goes.</summary>
    /// <param name="request">With every choice of the server filled in.</param>
    /// <param name="start">The concept to start from; null: none.</param>
    /// <param name="caller">Whose run it is.</param>
    /// <param name="jobId">The job that trains it.</param>
    /// <exception cref="DtiException">There is one of that name that the caller may not see.</exception>
    /// <exception cref="DtiException">The disk is full or the folder cannot be written.</exception>
    public void Begin(TrainRequest request, ConceptEmbedding? start, Caller caller, string jobId)
    {
        using var change = _journal.EnterToChange();
        EnsureFree(request.Name, caller);
        var files = new List<(string Name, Action<Stream> Write)>
        {
            (OwnerFile, Text(caller.Id)),
            (JobFile, Text(jobId)),
            (RequestFile, request.WriteTo),
        };
        if (start is not null)
        {
            files.Add((StartFile, stream => ConceptFile.Write(stream, start, ConceptFileFormat.WebUi)));
        }

        change.AddFolder(Valid(request.Name), files);
        change.Commit();
    }

    /// <summary>Notes what a run that continues was asked for.</summary>
    /// <exception cref="DtiException">The disk is full or the folder cannot be written.</exception>
    public void Continue(TrainRequest request, string jobId)
    {
        using var change = _journal.EnterToChange();
        if (!Directory.Exists(FolderOf(request.Name)))
        {
            throw new DtiException(ErrorKind.FailedPrecondition, $"The training of '{request.Name}' was deleted.");
        }

        var kept = request.Clone();
        kept.Resume = null;
        change.Add(Path.Combine(Valid(request.Name), JobFile), Text(jobId));
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
        return File.Exists(PathOf(name, RequestFile)) && File.Exists(PathOf(name, JobFile))
            ? File.ReadAllText(PathOf(name, JobFile))
            : null;
    }

    /// <summary>Steps whose snapshots are kept, in order.</summary>
    public IReadOnlyList<int> Steps(string name)
    {
        using var alone = _journal.Enter();
        return Directory.Exists(FolderOf(name))
            ?
            [
                .. Directory
                    .EnumerateFiles(FolderOf(name), "*" + SnapshotEnding)
                    .Select(file =>
                        int.TryParse(
                            Path.GetFileNameWithoutExtension(file),
                            NumberStyles.None,
                            CultureInfo.InvariantCulture,
                            out var step
                        )
                            ? step
                            : 0
                    )
                    .Where(step => step > 0)
                    .Order(),
            ]
            : [];
    }

    /// <summary>A kept snapshot. The caller disposes of it.</summary>
    /// <exception cref="DtiException">It cannot be read.</exception>
    public TrainingSnapshot Load(string name, int step) => TrainingSnapshot.Read(PathOf(name, step));

    /// <summary>Saves a snapshot; the newest before it goes, unless it is one to keep.</summary>
    /// <param name="name">The concept.</param>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="keepEvery">Steps between those that stay; 0: none does.</param>
    /// <exception cref="DtiException">The disk is full or the folder cannot be written; what was there is still
    /// there.</exception>
    public void Save(string name, TrainingSnapshot snapshot, int keepEvery)
    {
        using var change = _journal.EnterToChange(); // so that drafts of the snapshot belong to no other change
        snapshot.Write(PathOf(name, snapshot.Step), _files);
        foreach (
            var step in Steps(name).Where(step => step < snapshot.Step && (keepEvery == 0 || step % keepEvery != 0))
        )
        {
            File.Delete(PathOf(name, step));
        }

        AtomicFile.DeleteDrafts(FolderOf(name), files: _files);
    }

    /// <summary>Bytes on disk of the runs that belong to an owner.</summary>
    public long BytesOf(string owner)
    {
        using var alone = _journal.Enter();
        return Names()
            .Where(name => ReadOwner(name) == owner)
            .SelectMany(name => new DirectoryInfo(FolderOf(name)).EnumerateFiles())
            .Sum(file => file.Length);
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
        using var change = _journal.EnterToChange();
        if (Directory.Exists(FolderOf(name)) && caller.MaySee(Owner(name)) && !_held.ContainsKey(name))
        {
            try
            {
                change.RemoveNow(name);
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

    private string PathOf(string name, string file) => Path.Combine(FolderOf(name), file);

    private string PathOf(string name, int step) =>
        PathOf(name, step.ToString("D6", CultureInfo.InvariantCulture) + SnapshotEnding);

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
