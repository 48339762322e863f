using System.Globalization;
using Dti.Engine;
using Dti.Engine.Runtime.Files;
using Dti.Server.Configuration;
using Dti.Server.ObjectStorage;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Jobs.Storage;

/// <summary>
/// The folder of jobs: a folder for each job with its request and its log of events (<see cref="JobFiles"/>) and the
/// grain's state. Devices and gateways share it, and nothing else. The hosts of a cluster use one folder, in which no
/// host relies on locks; a file names the cluster, so that no other server uses it. With <c>Cluster.Storage</c>, jobs are
/// stored as objects (<see cref="JobObjects"/>), and each host uses a separate folder.
/// </summary>
internal sealed class JobFolder : IDisposable
{
    private const string Lock = ".lock";
    private const string Taken =
        "Another server has taken the folder of jobs. Stop one of both, then restart the other.";
    private const string TemporaryPrefix = "dti-jobs-";

    // a folder may have been made, and not be locked yet
    private static readonly TimeSpan _abandonedAfter = TimeSpan.FromMinutes(1);
    private const string State = "job.state"; // of a grain
    private const string Marker = ".cluster"; // names the service that shares the folder
    private readonly Lock _looking = new();
    private FileStream? _lock; // null: in a cluster
    private readonly IJobStorage _jobs;
    private readonly bool _isTemporary;

    /// <exception cref="DtiException">The folder cannot be made, or another server uses it.</exception>
    public JobFolder(DtiServerOptions options, IFileStore? files = null, IObjectStore? store = null)
    {
        Files = files ?? PhysicalFileStore.Instance;
        _isTemporary = options.JobFolder is null;
        IsShared = options.Cluster.IsUsed;
        try
        {
            if (_isTemporary)
            {
                DeleteAbandoned();
            }

            Root = options.JobFolder is { } folder
                ? Path.GetFullPath(folder)
                : Directory.CreateTempSubdirectory(TemporaryPrefix).FullName;
            PrivateFolder.Make(Root);
            if (IsShared)
            {
                Share(options.Cluster.Service);
                _lock = store is null ? null : Hold(FileMode.OpenOrCreate);
            }
            else
            {
                _lock = HoldAlone();
            }

            foreach (var draft in Directory.GetFiles(Root, "*" + AtomicFile.Draft, SearchOption.AllDirectories))
            {
                if (IsLeftover(draft))
                {
                    File.Delete(draft);
                }
            }

            _jobs = store is null
                ? new JobFiles(Root, Files, IsShared, [.. Directory.GetDirectories(Root).Where(IsLeftover)])
                : new JobObjects(store);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The folder of jobs, {options.JobFolder ?? $"in {Path.GetTempPath()} (set by TMPDIR)"}, {(LockFile.IsHeld(error) ? "is used by another server, and one alone may use it." : $"cannot be used: {error.Message}")}",
                innerException: error
            );
        }
    }

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>The disk.</summary>
    public IFileStore Files { get; }

    /// <summary>Whether jobs are still here when the next server starts.</summary>
    public bool IsDurable => !_isTemporary;

    /// <summary>Whether the hosts of a cluster use it.</summary>
    public bool IsShared { get; }

    /// <summary>The folder of a job.</summary>
    public string Of(string jobId) => Path.Combine(Root, jobId);

    /// <summary>
    /// A path for a file that is gone soon, and that only the server's user can read. A killed server's goes at the
    /// next start.
    /// </summary>
    public string NewDraft() => Path.Combine(Root, Guid.NewGuid().ToString("N") + AtomicFile.Draft);

    /// <summary>The log of a job.</summary>
    public IEventLog Events(string jobId) => _jobs.Events(jobId);

    /// <summary>
    /// Why the folder is not this server's any more; null: it is. A lock that was deleted is made again.
    /// </summary>
    public string? Problem()
    {
        lock (_looking)
        {
            var path = Path.Combine(Root, Lock);
            try
            {
                if (!Directory.Exists(Root))
                {
                    return "The folder of jobs was deleted while the server ran. Restart the server.";
                }

                if (IsShared)
                {
                    return null;
                }

                if (!File.Exists(path))
                {
                    var deleted = _lock!;
                    _lock = Hold(FileMode.CreateNew);
                    deleted.Dispose();
                    return null;
                }

                return IsOwn(path) || IsOwnAfterPause(path) ? null : Taken;
            }
            catch (IOException)
            {
                return Taken;
            }
            catch (ObjectDisposedException)
            {
                return null; // the server stops, and what runs may still write
            }
            catch (UnauthorizedAccessException error)
            {
                return $"The folder of jobs cannot be used: {error.Message}";
            }
        }
    }

    /// <summary>Whether the grain of a job has written its state.</summary>
    public bool HasState(string jobId) => File.Exists(Path.Combine(Of(jobId), State));

    /// <summary>Writes a job's request and its first event.</summary>
    /// <exception cref="DtiException">The disk is full, or the folder cannot be written or is not this server's any
    /// more; nothing of the job is left.</exception>
    public async Task CreateAsync(string jobId, IMessage request, IMessage accepted)
    {
        if (Problem() is { } problem)
        {
            throw new DtiException(ErrorKind.FailedPrecondition, problem);
        }

        try
        {
            await _jobs.CreateAsync(jobId, request, accepted);
        }
        catch (Exception error)
        {
            Delete(jobId);
            throw error as DtiException
                ?? (error is IOException or UnauthorizedAccessException ? AtomicFile.Explain(Of(jobId), error) : error);
        }
    }

    /// <summary>The request of a job.</summary>
    /// <exception cref="DtiException">It cannot be read.</exception>
    public IMessage Request(string jobId, JobKind kind)
    {
        try
        {
            return ParserOf(kind).ParseFrom(_jobs.Request(jobId));
        }
        catch (Exception error)
            when (error is IOException or UnauthorizedAccessException or InvalidProtocolBufferException)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The request of job {jobId} cannot be read: {error.Message}"
                ),
                innerException: error
            );
        }
    }

    /// <summary>Deletes the request of a job that is over, with its photos; its events stay.</summary>
    public void DeleteRequest(string jobId) => _jobs.DeleteRequest(jobId);

    /// <summary>The newest step in a job's log; 0: none.</summary>
    public int LastStep(string jobId) => Events(jobId).Read(0).Select(entry => entry.Step).DefaultIfEmpty().Max();

    /// <inheritdoc cref="IJobStorage.KeepOnlyAsync"/>
    public Task KeepOnlyAsync(IReadOnlyList<string> known, DateTimeOffset now) =>
        _jobs.KeepOnlyAsync(known.ToHashSet(StringComparer.Ordinal), now);

    /// <inheritdoc cref="IJobStorage.DeleteRequestsAsync"/>
    public Task DeleteRequestsAsync(Func<string, Task<bool>> isOver, DateTimeOffset now) =>
        _jobs.DeleteRequestsAsync(isOver, now);

    /// <summary>Whether it has the form of a job's id; only such ids become paths.</summary>
    public static bool IsId(string id) => id.Length == 32 && id.All(char.IsAsciiHexDigitLower);

    /// <summary>Deletes all of a job.</summary>
    public void Delete(string jobId) => _jobs.Delete(jobId);

    public void Dispose()
    {
        _lock?.Dispose();
        if (_isTemporary)
        {
            IgnoreFileErrors(() => Directory.Delete(Root, recursive: true));
        }
    }

    private bool IsOwn(string path) =>
        File.GetLastWriteTimeUtc(path) == File.GetLastWriteTimeUtc(_lock!.SafeFileHandle);

    /// <summary>Whether nobody writes a file or folder any more: alone, only killed servers did.</summary>
    private bool IsLeftover(string path) =>
        !IsShared || Leftovers.IsOld(File.GetLastWriteTimeUtc(path), DateTimeOffset.UtcNow);

    private FileStream HoldAlone() =>
        File.Exists(Path.Combine(Root, Marker))
            ? throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The folder of jobs, {Root}, belongs to a cluster. Start the server as one of its hosts (--cluster), or name another folder."
            )
            : Hold(FileMode.OpenOrCreate);

    /// <summary>Joins the hosts that use the folder, or is the first.</summary>
    private void Share(string service)
    {
        var marker = Path.Combine(Root, Marker);
        if (!File.Exists(marker))
        {
            if (Directory.EnumerateDirectories(Root).Any())
            {
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"The folder of jobs, {Root}, contains the jobs of a server that was not a host of a cluster. Name another folder (--data)."
                );
            }

            AtomicFile.WriteAllText(marker, service);
        }

        if (File.ReadAllText(marker) is var other && other != service)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The folder of jobs, {Root}, belongs to the service '{other}', and this host is of '{service}' (Cluster.Service)."
            );
        }
    }

    // Where times of files follow the clock (libfaketime), it may have been set between the two looks.
    private bool IsOwnAfterPause(string path)
    {
        Thread.Sleep(100);
        return IsOwn(path);
    }

    // The time of the last writing tells this server's lock from another's of the same name.
    private FileStream Hold(FileMode mode)
    {
        var held = new FileStream(Path.Combine(Root, Lock), mode, FileAccess.ReadWrite, FileShare.None);
        File.SetLastWriteTimeUtc(held.SafeFileHandle, DateTime.UtcNow);
        return held;
    }

    /// <summary>Folders of killed servers whose jobs were to end with them.</summary>
    private static void DeleteAbandoned()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), TemporaryPrefix + "*"))
        {
            IgnoreFileErrors(() =>
            {
                var held = new FileInfo(Path.Combine(folder, Lock));
                if (held.Exists && DateTime.UtcNow - held.LastWriteTimeUtc > _abandonedAfter)
                {
                    held.Open(FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
                    Directory.Delete(folder, recursive: true);
                }
            });
        }
    }

    private static MessageParser ParserOf(JobKind kind) =>
        kind switch
        {
            JobKind.Train => TrainRequest.Parser,
            JobKind.Generate => GenerateRequest.Parser,
            _ => InterpolateRequest.Parser,
        };

    // A file that remains costs space, and has no other effect.
    internal static void IgnoreFileErrors(Action action)
    {
        try
        {
            action();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException) { }
    }
}
