using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Jobs.Storage;
using Dti.Server.Libraries;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>
/// Deletes every hour what no host of the cluster needs any more from its storage. The first of the hosts by name does
/// it; if two think that they are the first, it does no harm.
/// </summary>
internal sealed class StorageCleanup(
    JobSilo silo,
    JobFolder folder,
    ConceptLibrary concepts,
    TrainingRuns runs,
    DtiServerOptions options,
    TimeProvider time,
    ILogger<StorageCleanup> logger
) : BackgroundService
{
    private static readonly TimeSpan _firstAfter = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _every = TimeSpan.FromHours(1);

    /// <summary>Deletes it now, if this host is the first.</summary>
    /// <returns>Whether it is.</returns>
    /// <exception cref="DtiException">The storage or the database does not answer.</exception>
    public async Task<bool> RunAsync(DateTimeOffset now)
    {
        var queue = await silo.QueueAsync();
        if (await queue.HostsAsync() is not [var first, ..] || first.Announcement.Host != options.Cluster.HostName)
        {
            return false;
        }

        // with no queue at all, its jobs may still be wanted
        if (await queue.ListAsync(null) is { Count: > 0 } known)
        {
            await folder.KeepOnlyAsync(known, now);
        }

        await folder.DeleteRequestsAsync(IsOverAsync, now);
        await Task.Run(() =>
        {
            concepts.DeleteLeftovers(now);
            runs.DeleteLeftovers(now);
        });
        return true;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var wait = _firstAfter; ; wait = _every)
        {
            try
            {
                await Task.Delay(wait, time, stoppingToken);
                await RunAsync(time.GetUtcNow()).WaitAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                logger.LeftoversNotDeleted(error.Message); // in an hour again
            }
        }
    }

    private async Task<bool> IsOverAsync(string jobId)
    {
        try
        {
            return (await (await silo.JobAsync(jobId)).GetAsync()).IsOver;
        }
        catch (StateUnreadableException)
        {
            return false;
        }
    }
}
