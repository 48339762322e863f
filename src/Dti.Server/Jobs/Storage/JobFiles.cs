using Dti.Engine.Runtime.Files;
using Dti.Server.ObjectStorage;
using Google.Protobuf;

namespace Dti.Server.Jobs.Storage;

/// <summary>
/// The jobs in a folder, of one server or shared by the hosts of a cluster: <c>ID/request.binpb</c>, photos included,
/// and the log (<see cref="EventFiles"/>).
/// </summary>
/// <param name="root">The folder.</param>
/// <param name="files">The disk.</param>
/// <param name="isShared">Whether other machines read it.</param>
/// <param name="found">Folders of jobs that were there before this server, and that nobody writes any more.</param>
internal sealed class JobFiles(string root, IFileStore files, bool isShared, IReadOnlyList<string> found) : IJobStorage
{
    private const string RequestFile = "request.binpb";

    /// <inheritdoc/>
    public IEventLog Events(string jobId) => new EventFiles(Of(jobId), files, isShared);

    /// <inheritdoc/>
    public Task CreateAsync(string jobId, IMessage request, IMessage accepted)
    {
        Directory.CreateDirectory(Of(jobId));
        AtomicFile.Write(RequestOf(jobId), request.WriteTo, files: files);
        using var log = Events(jobId).OpenWriter(0, first: 0);
        log.Append(0, accepted);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public byte[] Request(string jobId) => File.ReadAllBytes(RequestOf(jobId));

    /// <inheritdoc/>
    public void DeleteRequest(string jobId) => JobFolder.IgnoreFileErrors(() => File.Delete(RequestOf(jobId)));

    /// <inheritdoc/>
    public void Delete(string jobId) => JobFolder.IgnoreFileErrors(() => Directory.Delete(Of(jobId), recursive: true));

    /// <inheritdoc/>
    public Task KeepOnlyAsync(IReadOnlySet<string> known, DateTimeOffset now)
    {
        foreach (
            var jobId in found
                .Select(folder => Path.GetFileName(folder))
                .Where(id => JobFolder.IsId(id) && !known.Contains(id))
        )
        {
            Delete(jobId);
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task DeleteRequestsAsync(Func<string, Task<bool>> isOver, DateTimeOffset now)
    {
        foreach (
            var jobId in Directory
                .GetDirectories(root)
                .Select(job => Path.GetFileName(job))
                .Where(id =>
                    JobFolder.IsId(id)
                    && File.Exists(RequestOf(id))
                    && Leftovers.IsOld(File.GetLastWriteTimeUtc(RequestOf(id)), now)
                )
        )
        {
            if (await isOver(jobId))
            {
                DeleteRequest(jobId);
            }
        }
    }

    private string Of(string jobId) => Path.Combine(root, jobId);

    private string RequestOf(string jobId) => Path.Combine(Of(jobId), RequestFile);
}
