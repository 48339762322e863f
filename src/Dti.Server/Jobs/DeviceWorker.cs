using Dti.Engine;
using Dti.Server.Errors;
using Dti.V1;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>Pulls jobs and computes them on a thread of its own, one at a time: a device is never shared, a pool thread never blocked.</summary>
internal sealed class DeviceWorker(JobQueue queue, IJobRunner runner, IHostApplicationLifetime lifetime, ILogger<DeviceWorker> logger) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Streams must end before the web server waits for them.
        lifetime.ApplicationStopping.Register(() =>
        {
            queue.Stop();
            _stop.Cancel();
        });
        new Thread(Work) { Name = "dti-device", IsBackground = true }.Start();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _stopped.Task.WaitAsync(cancellationToken);
    }

    public void Dispose() => _stop.Dispose();

    private void Work()
    {
        try
        {
            while (true)
            {
                Run(queue.Take(_stop.Token));
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
        finally
        {
            _stopped.SetResult();
        }
    }

    private void Run(QueuedJob job)
    {
        logger.JobStarted(job.Id);
        try
        {
            foreach (var (step, message) in runner.Run(job.Submission, job.Cancellation.Token))
            {
                queue.Report(job, step, message);
            }

            queue.End(job, JobState.Succeeded, null);
        }
        catch (OperationCanceledException) when (job.Cancellation.IsCancellationRequested)
        {
            queue.End(job, JobState.Cancelled, _stop.IsCancellationRequested ? RpcErrors.Stopping() : RpcErrors.Cancelled(job.Id));
        }
        catch (DtiException error)
        {
            logger.JobRefused(job.Id, error.Message);
            queue.End(job, JobState.Failed, RpcErrors.Of(error));
        }
        catch (Exception error)
        {
            logger.JobBroke(error, job.Id);
            queue.End(job, JobState.Failed, RpcErrors.Internal());
        }
    }
}
