using Dti.Server.Jobs;
using Dti.Server.Jobs.Storage;
using Dti.Server.Libraries;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Diagnosis;

/// <summary>
/// Whether a job could be accepted now: its folder is this server's, the disk has room, and a grain for it starts.
/// Thread-safe; the answer holds for a few seconds.
/// </summary>
internal sealed class JobsProbe(
    JobSilo silo,
    JobFolder folder,
    DiskSpace disk,
    TimeProvider time,
    ILogger<JobsProbe> logger
) : IDisposable
{
    private static readonly TimeSpan _freshFor = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _one = new(1);
    private (string? Problem, long At)? _last;

    /// <summary>Why none could; null: one could.</summary>
    public async Task<string?> ProblemAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_last is { } last && time.GetElapsedTime(last.At) < _freshFor)
            {
                return last.Problem;
            }

            var problem = folder.Problem() ?? disk.Problem() ?? await OfGrainsAsync();
            if (problem != _last?.Problem)
            {
                if (problem is null)
                {
                    logger.JobsAccepted();
                }
                else
                {
                    logger.JobsNotAccepted(problem);
                }
            }

            _last = (problem, time.GetTimestamp());
            return problem;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<string?> OfGrainsAsync()
    {
        if (!silo.Wanted.IsCompleted || silo.IsStopping)
        {
            return null; // it starts with the first job, or has been asked to stop
        }

        try
        {
            await (await silo.JobAsync(Guid.NewGuid().ToString("N"))).GetAsync().WaitAsync(_patience, time);
            await (await silo.QueueAsync()).PingAsync().WaitAsync(_patience, time);
            return null;
        }
        catch (Exception error)
        {
            return silo.IsStopping ? null : $"The queue does not answer: {error.Message}";
        }
    }
}
