using Dti.Engine;
using Dti.Server.Errors;
using Dti.Server.Telemetry;
using Dti.V1;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>Pulls jobs and computes them on a thread of its own, one at a time: a device is never shared, a pool thread never blocked.</summary>
internal sealed class DeviceWorker(JobQueue queue, IJobRunner runner, ILogger<DeviceWorker> logger) : IHostedLifecycleService, IDisposable
{
    private Thread? _thread;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _thread = new Thread(Work) { Name = "dti-device", IsBackground = true };
        _thread.Start();
        return Task.CompletedTask;
    }

    /// <summary>Jobs end, with their last snapshots, while the server still answers; their streams must, before the web server waits for them.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        queue.Stop();
        await Task.Run(() => _thread?.Join(), cancellationToken).WaitAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => StoppingAsync(cancellationToken);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Also a host that is disposed without having been stopped lets the thread leave the models before they go.</summary>
    public void Dispose()
    {
        queue.Stop();
        _thread?.Join();
    }

    private void Work()
    {
        while (queue.Take() is { } job)
        {
            Run(job);
        }
    }

    private void Run(QueuedJob job)
    {
        using var scope = logger.JobScope(job.Id);
        using var running = JobTelemetry.Start(job.Id, job.Submission.Kind, job.Submission.TraceParent);
        logger.JobStarted(job.Id);
        try
        {
            foreach (var (step, message) in running.Watch(runner.Run(job.Submission, job.Cancellation.Token)))
            {
                queue.Report(job, step, message);
            }

            running.End(JobState.Succeeded);
            queue.End(job, JobState.Succeeded, null);
        }
        catch (OperationCanceledException) when (job.Cancellation.IsCancellationRequested)
        {
            running.End(JobState.Cancelled);
            queue.End(job, JobState.Cancelled, queue.IsStopping ? RpcErrors.Stopping() : RpcErrors.Cancelled(job.Id));
        }
        catch (DtiException error)
        {
            logger.JobRefused(job.Id, error.Message);
            running.End(JobState.Failed, error.Message);
            queue.End(job, JobState.Failed, RpcErrors.Of(error));
        }
        catch (Exception error)
        {
            logger.JobBroke(error, job.Id);
            running.End(JobState.Failed, error.GetType().Name);
            queue.End(job, JobState.Failed, RpcErrors.Internal());
        }
    }
}
