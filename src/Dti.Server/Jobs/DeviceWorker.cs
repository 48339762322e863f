using System.Collections.Concurrent;
using Dti.Engine.Runtime.Devices;
using Dti.Server.Jobs.Grains;
using Dti.Server.Jobs.Storage;
using Dti.Server.Telemetry;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>
/// Pulls jobs and computes them on a thread of its own: a device is never shared, a pool thread never blocked. One job
/// at a time; but what someone waits for at the screen goes between the steps of a training, a job after each.
/// </summary>
internal sealed class DeviceWorker(
    JobSilo silo,
    JobFolder folder,
    JobFeeds feeds,
    IJobRunner runner,
    ComputeTarget target,
    TimeProvider time,
    ILogger<DeviceWorker> logger
) : IHostedLifecycleService, IDeviceObserver, IDisposable
{
    private static readonly TimeSpan _renewEvery = TimeSpan.FromSeconds(5);
    private readonly string _device = NameOf(target.DeviceName);
    private readonly string _incarnation = Guid.NewGuid().ToString("N");
    private readonly BlockingCollection<JobAttempt> _handedOver = [];
    private readonly HeldJobs _held = new();
    private readonly CancellationTokenSource _stopping = new();
    private Thread? _thread;
    private Task _pulling = Task.CompletedTask;
    private Task _renewing = Task.CompletedTask;

    /// <summary>What the queue knows this device by.</summary>
    internal string Name => _device;

    /// <summary>What the queue knows this process of the device by.</summary>
    internal string Incarnation => _incarnation;

    /// <summary>What the queue knows a device by: it outlives the process.</summary>
    public static string NameOf(string device) => $"{Environment.MachineName}/{device}";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _thread = new Thread(Work) { Name = "dti-device", IsBackground = true };
        _thread.Start();
        _pulling = Task.Run(PullAsync, CancellationToken.None);
        _renewing = Task.Run(RenewAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Jobs end, with their last snapshots, while the server still answers; their streams must, before the web server
    /// waits for them.
    /// </summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        Stop();
        await _pulling.WaitAsync(cancellationToken);
        await _renewing.WaitAsync(cancellationToken);
        await Task.Run(() => _thread?.Join(), cancellationToken).WaitAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => StoppingAsync(cancellationToken);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Also a host that is disposed without having been stopped lets the thread leave the models before they go.
    /// </summary>
    public void Dispose()
    {
        Stop();
        Task.WaitAll(_pulling, _renewing); // what they ask of the queue is answered before it goes
        _thread?.Join();
        _handedOver.Dispose();
        _stopping.Dispose();
    }

    /// <summary>A job is to stop.</summary>
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

    /// <summary>Fetches jobs as the device has room for them, until the server stops.</summary>
    private async Task PullAsync()
    {
        IDeviceObserver? self = null;
        var isKnown = false;
        var backoff = new Backoff(time, logger.QueueSilent, logger.QueueAnswers);
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
                    // Then it is over.
                }
                catch (Exception error)
                {
                    await backoff.FailedAsync(error.Message, _stopping.Token); // a full disk, most likely
                }
            }
        }
        finally
        {
            _handedOver.CompleteAdding();
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

        var change = queue.WaitForChangeAsync(_stopping.Token); // before the look, so that nothing is missed in between
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
                attempt.Cancel(); // asked for before the device could hear of it
            }
        }
        finally
        {
            _handedOver.Add(attempt);
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
                logger.QueueSilent(error.Message);
            }
        }
    }

    private void Work()
    {
        ComputeThreads.Fit();
        foreach (var attempt in _handedOver.GetConsumingEnumerable())
        {
            using var execution = Execute(attempt);
            while (execution.MoveNext())
            {
                if (execution.IsBetweenTrainingSteps && _handedOver.TryTake(out var interactive))
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
    /// Waits on the device's thread until the grains know, so that nothing of a job is left when the next begins.
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
            // the queue misses it among what the device holds, and another attempt tells
            logger.GrainSilent(attempt.Ticket.JobId, error.Message);
        }

        _held.Remove(attempt);
    }

    private Task EndAsync(JobAttempt attempt, AttemptOutcome outcome) =>
        outcome.End switch
        {
            AttemptEnd.Succeeded => attempt.EndAsync(JobState.Succeeded, null),
            AttemptEnd.Cancelled => attempt.EndAsync(JobState.Cancelled, outcome.Failure),
            AttemptEnd.Failed => attempt.EndAsync(JobState.Failed, outcome.Failure),
            AttemptEnd.Requeued => RequeueAsync(attempt, alone: false),
            AttemptEnd.RequeuedAlone => RequeueAsync(attempt, alone: true),
            _ => Task.CompletedTask,
        };

    private async Task RequeueAsync(JobAttempt attempt, bool alone)
    {
        if (!attempt.IsLost)
        {
            await attempt.ReleaseAsync();
            await (await silo.QueueAsync()).RequeueAsync(attempt.Ticket.JobId, alone, backOff: false);
        }
    }
}
