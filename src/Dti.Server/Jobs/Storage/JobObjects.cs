using Dti.Engine;
using Dti.Server.ObjectStorage;
using Google.Protobuf;

namespace Dti.Server.Jobs.Storage;

/// <summary>
/// The jobs in the storage of a cluster: <c>jobs/ID/request.binpb</c>, photos included, and the log
/// (<see cref="EventObjects"/>).
/// </summary>
internal sealed class JobObjects(IObjectStore store) : IJobStorage
{
    private const string Prefix = "jobs/";
    private const string RequestFile = "request.binpb";
    private static readonly TimeSpan _deleteAgainAfter = TimeSpan.FromSeconds(15);
    private const int DeleteAttempts = 40;

    /// <inheritdoc/>
    public IEventLog Events(string jobId) => new EventObjects(Of(jobId), store);

    /// <inheritdoc/>
    public async Task CreateAsync(string jobId, IMessage request, IMessage accepted)
    {
        await store.PutAsync(Of(jobId) + RequestFile, request.ToByteArray());
        using var log = Events(jobId).OpenWriter(0, first: 0);
        log.Append(0, accepted);
        await log.StoreAsync();
    }

    /// <inheritdoc/>
    public byte[] Request(string jobId) =>
        store.GetAsync(Of(jobId) + RequestFile).WaitForResult()
        ?? throw new DtiException(
            ErrorKind.FailedPrecondition,
            $"The request of job {jobId} is not in the cluster's storage {store.Location}."
        );

    /// <summary>Deletes the request of a job that is over in the background; its events stay.</summary>
    public void DeleteRequest(string jobId) => DeleteLater(Of(jobId) + RequestFile);

    /// <summary>Deletes all of a job, in the background.</summary>
    public void Delete(string jobId) => DeleteLater(Of(jobId));

    /// <inheritdoc/>
    public async Task KeepOnlyAsync(IReadOnlySet<string> known, DateTimeOffset now)
    {
        foreach (var job in (await store.ListAsync(Prefix)).GroupBy(JobOf))
        {
            if (!known.Contains(job.Key) && job.All(found => Leftovers.IsOld(found.Modified, now)))
            {
                Delete(job.Key);
            }
        }
    }

    /// <inheritdoc/>
    public async Task DeleteRequestsAsync(Func<string, Task<bool>> isOver, DateTimeOffset now)
    {
        foreach (
            var request in (await store.ListAsync(Prefix)).Where(found =>
                found.Key.EndsWith($"/{RequestFile}", StringComparison.Ordinal) && Leftovers.IsOld(found.Modified, now)
            )
        )
        {
            if (await isOver(JobOf(request)))
            {
                await store.DeleteAsync(request.Key);
            }
        }
    }

    private static string JobOf(StoredObject found) => found.Key[Prefix.Length..].Split('/')[0];

    private static string Of(string jobId) => $"{Prefix}{jobId}/";

    // A grain does not wait for the storage; photos must go also if it does not answer now.
    private void DeleteLater(string prefix) =>
        _ = Task.Run(async () =>
        {
            for (var attempt = 1; attempt <= DeleteAttempts; attempt++)
            {
                try
                {
                    await store.DeleteAllAsync(prefix);
                    return;
                }
                catch (DtiException)
                {
                    await Task.Delay(_deleteAgainAfter);
                }
            }
        });
}
