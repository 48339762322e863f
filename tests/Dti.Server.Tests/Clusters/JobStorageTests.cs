using Dti.Engine.Runtime.Files;
using Dti.Server.Jobs.Storage;
using Dti.Server.ObjectStorage;
using Dti.V1;

namespace Dti.Server.Tests.Clusters;

/// <summary>What hosts that were killed leave of jobs, in a shared folder and in the storage of a cluster.</summary>
public sealed class JobStorageTests : IDisposable
{
    private const string Ended = "0123456789abcdef0123456789abcdef";
    private const string Waiting = "fedcba9876543210fedcba9876543210";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-jobs-of-cluster-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DeleteRequests_OfJobsThatAreOver_LeavesTheirEventsAndOtherJobs(bool asObjects)
    {
        var jobs = Open(asObjects);
        var request = new TrainRequest { Name = "cat" };
        foreach (var jobId in new[] { Ended, Waiting })
        {
            await jobs.CreateAsync(
                jobId,
                request,
                new TrainResponse { Accepted = new TrainAccepted { JobId = jobId } }
            );
        }

        await jobs.DeleteRequestsAsync(_ => Task.FromResult(true), DateTimeOffset.UtcNow); // they are new
        Assert.NotEmpty(jobs.Request(Ended));
        await jobs.DeleteRequestsAsync(
            jobId => Task.FromResult(jobId == Ended),
            DateTimeOffset.UtcNow + TimeSpan.FromHours(2)
        );

        Assert.ThrowsAny<Exception>(() => jobs.Request(Ended));
        Assert.Equal(request, TrainRequest.Parser.ParseFrom(jobs.Request(Waiting)));
        Assert.Single(jobs.Events(Ended).Read(0));
    }

    private IJobStorage Open(bool asObjects) =>
        asObjects
            ? new JobObjects(new FolderObjectStore(_folder.FullName))
            : new JobFiles(_folder.FullName, PhysicalFileStore.Instance, isShared: true, []);
}
