using System.Collections.Concurrent;
using Dti.Engine.Runtime.Devices;
using Dti.Server.Configuration;
using Dti.Server.Jobs.Grains;
using Dti.Server.Jobs.Storage;
using Dti.Server.ObjectStorage;
using Dti.Server.Telemetry;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>
/// Acquires jobs and runs them on a dedicated thread, so that a device is never shared and no pool thread is blocked.
/// One job runs at a time, except that interactive jobs run between the steps of a training, one after each step.
/// </summary>
internal sealed class DeviceWorker(
    JobSilo silo,
    JobFolder folder,
    JobFeeds feeds,
    IJobRunner runner,
    ComputeTarget target,
    DtiServerOptions options,
    TimeProvider time,
    ILogger<DeviceWorker> logger
) : IHostedLifecycleService, IDeviceObserver, IDisposable
{
    private static readonly TimeSpan _renewEvery = TimeSpan.FromSeconds(5);
    private readonly string _device = NameOf(options, target.DeviceName);
    private readonly string _incarnation = Guid.NewGuid().ToString("N");
    private readonly BlockingCollection<JobAttempt> _startedAttempts = [];
    private readonly HeldJobs _held = new();
    private readonly CancellationTokenSource _stopping = new();
    private Thread? _thread;
    private Task _pullLoop = Task.CompletedTask;
    private Task _renewLoop = Task.CompletedTask;

    /// <summary>The device's name in the queue.</summary>
    internal string Name => _device;

    /// <summary>The id of this start of the device's process.</summary>
    internal string Incarnation => _incarnation;

    /// <summary>A device's name in the queue, which outlives the process.</summary>
    public static string NameOf(DtiServerOptions options, string device) => $"{options.Cluster.HostName}/{device}";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _thread = new Thread(Work) { Name = "dti-device", IsBackground = true };
        _thread.Start();
        _pullLoop = Task.Run(PullAsync, CancellationToken.None);
        _renewLoop = Task.Run(RenewAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Stops the jobs, which write their last snapshots, while the server still responds: the web server waits for
    /// their streams.
    /// </summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        Stop();
        await _pullLoop.WaitAsync(cancellationToken);
        await _renewLoop.WaitAsync(cancellationToken);
        await Task.Run(() => _thread?.Join(), cancellationToken).WaitAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => StoppingAsync(cancellationToken);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// A host that is disposed of without having been stopped also waits for the thread, which uses the models.
    /// </summary>
    public void Dispose()
    {
        Stop();
        Task.WaitAll(_pullLoop, _renewLoop); // their calls of the queue end before the silo stops
        _thread?.Join();
        _startedAttempts.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Cancels a job.</summary>
    public Task CancelAsync(string jobId)
    {
        _held.Find(jobId)?.Cancel();
        return Task.CompletedTask;
    }

    private void Stop()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        feeds.Stop();
        _stopping.Cancel();
        foreach (var attempt in _held.Attempts)
        {
            attempt.Stop();
        }
    }

    /// <summary>Acquires jobs while the device has room for them, until the server stops.</summary>
    private async Task PullAsync()
    {
        IDeviceObserver? self = null;
        var isKnown = false;
        var backoff = new Backoff(time, logger.QueueUnresponsive, logger.QueueResponsive);
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                try
                {
                    await silo.Wanted.WaitAsync(_stopping.Token);
                    var grains = await silo.GrainsAsync().WaitAsync(_stopping.Token);
                    var queue = await silo.QueueAsync();
                    self ??= grains.CreateObjectReference<IDeviceObserver>(this);
                    if (!isKnown)
                    {
                        await queue.RegisterAsync(_device, _incarnation);
                        isKnown = true;
                    }

                    await PullOneAsync(queue, self);
                    backoff.Succeeded();
                }
                catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
                {
                    // The server stops.
                }
                catch (Exception error)
                {
                    await backoff.FailedAsync(error.Message, _stopping.Token); // a full disk, most likely
                }
            }
        }
        finally
        {
            _startedAttempts.CompleteAdding();
        }
    }

    private async Task PullOneAsync(IQueueGrain queue, IDeviceObserver self)
    {
        var released = _held.Released;
        var running = _held.Attempts;
        if (running.Any(attempt => attempt.Ticket.IsInteractive))
        {
            await released.WaitAsync(_stopping.Token);
            return;
        }

        // before the queue is asked, so that no change is missed in between
        var change = queue.WaitForChangeAsync(_stopping.Token);
        if (await queue.AcquireAsync(_device, _incarnation, duringTraining: running.Count > 0) is not { } ticket)
        {
            await Task.WhenAny(change, released).WaitAsync(_stopping.Token);
            return;
        }

        using var acquired = _held.Acquire(ticket.JobId);
        await StartAsync(ticket, queue, self);
    }

    private async Task StartAsync(JobTicket ticket, IQueueGrain queue, IDeviceObserver self)
    {
        var job = await silo.JobAsync(ticket.JobId);
        int epoch;
        try
        {
            epoch = await job.StartAsync(self);
        }
        catch (Exception error)
        {
            // a full disk affects every job
            await queue.RequeueAsync(ticket.JobId, alone: false, backOff: error is not StateUnwrittenException);
            throw;
        }

        if (epoch == 0)
        {
            await queue.CompleteAsync(ticket.JobId, 0);
            return;
        }

        JobAttempt attempt;
        try
        {
            attempt = new JobAttempt(ticket, epoch, folder, job, logger);
        }
        catch (Exception error) when (StorageErrors.IsUnavailable(error))
        {
            logger.JobRefused(ticket.JobId, error.Message);
            await job.ReleaseAsync(epoch);
            await queue.RequeueAsync(ticket.JobId, alone: false, backOff: true);
            return;
        }
        catch (Exception error)
        {
            logger.JobRefused(ticket.JobId, error.Message);
            await job.EndAsync(
                epoch,
                JobState.Failed,
                AttemptOutcome.StatusOf(error, folder.Of(ticket.JobId)).ToByteArray()
            );
            await queue.CompleteAsync(ticket.JobId, 0);
            return;
        }

        _held.Add(attempt);
        try
        {
            if (_stopping.IsCancellationRequested)
            {
                attempt.Stop();
            }
            else if ((await job.GetAsync()).CancelRequested)
            {
                attempt.Cancel(); // requested before the device was registered as the job's observer
            }
        }
        finally
        {
            _startedAttempts.Add(attempt);
        }
    }

    private async Task RenewAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            await Task.Delay(_renewEvery, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await silo.Wanted.WaitAsync(_stopping.Token);
                var queue = await silo.QueueAsync().WaitAsync(_stopping.Token);
                await queue.RenewAsync(_device, _incarnation, _held.Steps());
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                logger.QueueUnresponsive(error.Message);
            }
        }
    }

    private void Work()
    {
        ComputeThreads.Fit();
        foreach (var attempt in _startedAttempts.GetConsumingEnumerable())
        {
            using var execution = Execute(attempt);
            while (execution.MoveNext())
            {
                if (execution.IsBetweenTrainingSteps && _startedAttempts.TryTake(out var interactive))
                {
                    using var pause = execution.Pause();
                    RunToEnd(interactive);
                }
            }

            Finish(execution);
        }
    }

    private void RunToEnd(JobAttempt attempt)
    {
        using var execution = Execute(attempt);
        while (execution.MoveNext())
        {
            // Nothing runs between the events of an interactive job.
        }

        Finish(execution);
    }

    private AttemptExecution Execute(JobAttempt attempt) =>
        new(
            attempt,
            runner,
            folder,
            isDuringTraining: () => _held.Attempts.Any(other => !other.Ticket.IsInteractive),
            logger
        );

    /// <summary>
    /// Waits on the device's thread until the grains have stored the end, before the next job begins.
    /// </summary>
    private void Finish(AttemptExecution execution)
    {
        var (attempt, outcome, secondsPerStep) = (execution.Attempt, execution.Outcome!, execution.SecondsPerStep);
        try
        {
            EndAsync(attempt, outcome).GetAwaiter().GetResult();
            if (outcome.IsOver && !attempt.IsLost)
            {
                silo.QueueAsync()
                    .GetAwaiter()
                    .GetResult()
                    .CompleteAsync(attempt.Ticket.JobId, attempt.Step > 0 ? secondsPerStep : 0)
                    .GetAwaiter()
                    .GetResult();
            }
        }
        catch (Exception error)
        {
            // heartbeats no longer name the job, so that the queue starts another attempt, which ends it
            logger.GrainUnresponsive(attempt.Ticket.JobId, error.Message);
        }

        _held.Remove(attempt);
    }

    private Task EndAsync(JobAttempt attempt, AttemptOutcome outcome) =>
        outcome.End switch
        {
            AttemptEnd.Succeeded => attempt.EndAsync(JobState.Succeeded, null),
            AttemptEnd.Cancelled => attempt.EndAsync(JobState.Cancelled, outcome.Failure),
            AttemptEnd.Failed => attempt.EndAsync(JobState.Failed, outcome.Failure),
            AttemptEnd.Requeued => RequeueAsync(
                attempt,
                alone: false,
                backOff: outcome.Error is { } error && StorageErrors.IsUnavailable(error)
            ),
            AttemptEnd.RequeuedAlone => RequeueAsync(attempt, alone: true),
            _ => Task.CompletedTask,
        };

    private async Task RequeueAsync(JobAttempt attempt, bool alone, bool backOff = false)
    {
        if (!attempt.IsLost)
        {
            await attempt.ReleaseAsync();
            await (await silo.QueueAsync()).RequeueAsync(attempt.Ticket.JobId, alone, backOff);
        }
    }
}
