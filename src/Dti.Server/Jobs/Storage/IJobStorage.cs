using Google.Protobuf;

namespace Dti.Server.Jobs.Storage;

/// <summary>Where the requests and the logs of jobs are stored.</summary>
internal interface IJobStorage
{
    /// <summary>The log of a job.</summary>
    IEventLog Events(string jobId);

    /// <summary>Writes a job's request and its first event.</summary>
    /// <exception cref="Engine.DtiException">The disk is full, or the storage of the cluster does not
    /// answer.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    Task CreateAsync(string jobId, IMessage request, IMessage accepted);

    /// <summary>The bytes of a job's request, photos included.</summary>
    /// <exception cref="Engine.DtiException">There is none, or the storage of the cluster does not answer.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    byte[] Request(string jobId);

    /// <summary>Deletes the request of a job that is over, with its photos; its events stay.</summary>
    void DeleteRequest(string jobId);

    /// <summary>Deletes all of a job.</summary>
    void Delete(string jobId);

    /// <summary>
    /// Deletes jobs that are not in the queue, left by a server that was killed while it accepted or deleted a job.
    /// </summary>
    /// <param name="known">All jobs in the queue or its history.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="Engine.DtiException">The storage of the cluster does not answer.</exception>
    Task KeepOnlyAsync(IReadOnlySet<string> known, DateTimeOffset now);

    /// <summary>
    /// Deletes requests of jobs that are over, left by a host that was killed when a job ended, or when the storage did
    /// not answer. Those of the last hour are left alone.
    /// </summary>
    /// <param name="isOver">Whether a job is over.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="Engine.DtiException">The storage of the cluster does not answer.</exception>
    Task DeleteRequestsAsync(Func<string, Task<bool>> isOver, DateTimeOffset now);
}
