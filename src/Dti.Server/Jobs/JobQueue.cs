using Dti.Server.Errors;
using Dti.Server.Security;
using Dti.Server.Telemetry;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Jobs;

/// <summary>The jobs of one process: a bounded queue in order of arrival, and a history.</summary>
internal sealed class JobQueue(DtiServerOptions options, CallerQuotas quotas, TimeProvider time, ILogger<JobQueue> logger) : IJobs
{
    private readonly object _lock = new(); // also what the worker waits on
    private readonly Dictionary<string, QueuedJob> _jobs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string JobId, string Fingerprint)> _requests = new(StringComparer.Ordinal);
    private readonly List<QueuedJob> _order = []; // every job, oldest first
    private readonly LinkedList<QueuedJob> _waiting = [];
    private bool _stopping;

    public (string JobId, bool Attached) Submit(JobSubmission submission)
    {
        lock (_lock)
        {
            if (submission.RequestId.Length > 0 && Find(submission.RequestId, submission.Fingerprint) is { } known)
            {
                return (known, true);
            }

            if (_stopping)
            {
                throw RpcErrors.Stopping().ToRpcException();
            }

            if (_waiting.Count >= options.MaxQueuedJobs)
            {
                throw RpcErrors.Exhausted($"The queue is full: {_waiting.Count} jobs are waiting.", "QUEUE_FULL", TimeSpan.FromSeconds(30)).ToRpcException();
            }

            if (submission.Kind == JobKind.Train && _order.FirstOrDefault(other => !other.IsOver && other.Submission.Kind == JobKind.Train && string.Equals(other.Submission.Name, submission.Name, StringComparison.OrdinalIgnoreCase)) is { } rival)
            {
                throw RpcErrors.Exists($"Job {rival.Id} is training a concept '{rival.Submission.Name}' already; wait for it, cancel it, or choose another name.", "CONCEPT_IN_TRAINING").ToRpcException();
            }

            var own = _waiting.Count(other => other.Submission.Caller.Id == submission.Caller.Id);
            if (quotas.Admit(submission.Caller.Id, own, submission.Pictures) is { } refusal)
            {
                throw refusal.ToRpcException();
            }

            var job = new QueuedJob(Guid.NewGuid().ToString("N"), submission, time.GetUtcNow());
            job.Log.Append(0, submission.Accepted(job.Id));
            _jobs.Add(job.Id, job);
            _order.Add(job);
            if (submission.RequestId.Length > 0)
            {
                _requests.Add(submission.RequestId, (job.Id, submission.Fingerprint));
            }

            _waiting.AddLast(job);
            JobTelemetry.Enqueued(submission.Kind);
            TellPositions();
            Prune();
            logger.JobAccepted(job.Id, submission.Kind.ToString());
            Monitor.Pulse(_lock);
            return (job.Id, false);
        }
    }

    public string? Find(string requestId, string fingerprint)
    {
        lock (_lock)
        {
            return !_requests.TryGetValue(requestId, out var known) ? null
                : known.Fingerprint == fingerprint ? known.JobId
                : throw RpcErrors.Precondition($"request_id '{requestId}' was used for another request; choose a new one.", "REQUEST_ID_REUSED").ToRpcException();
        }
    }

    public IAsyncEnumerable<IMessage> WatchAsync(string jobId, int fromStep, CancellationToken cancellationToken) =>
        Job(jobId).Log.ReadAsync(fromStep, cancellationToken);

    public Job Cancel(string jobId)
    {
        var job = Job(jobId);
        lock (_lock)
        {
            if (job.State == JobState.Queued)
            {
                _waiting.Remove(job);
                JobTelemetry.Dequeued(job.Submission.Kind, null);
                job.End(JobState.Cancelled, time.GetUtcNow(), RpcErrors.Cancelled(job.Id));
                TellPositions();
                logger.JobEnded(job.Id, job.State.ToString());
            }
            else if (job.State == JobState.Running)
            {
                job.Cancellation.Cancel();
            }

            return job.ToMessage();
        }
    }

    public Job Get(string jobId)
    {
        var job = Job(jobId);
        lock (_lock)
        {
            return job.ToMessage();
        }
    }

    public IReadOnlyList<Job> List()
    {
        lock (_lock)
        {
            return [.. _order.AsEnumerable().Reverse().Select(job => job.ToMessage())];
        }
    }

    /// <summary>Waits for a job and starts it.</summary>
    /// <returns>The job; null when the queue has stopped.</returns>
    public QueuedJob? Take()
    {
        lock (_lock)
        {
            while (_waiting.First is null && !_stopping)
            {
                Monitor.Wait(_lock);
            }

            if (_waiting.First?.Value is not { } job)
            {
                return null;
            }

            _waiting.RemoveFirst();
            var now = time.GetUtcNow();
            JobTelemetry.Dequeued(job.Submission.Kind, now - job.Created);
            job.Start(now);
            TellPositions();
            return job;
        }
    }

    /// <summary>Adds an event of a running job.</summary>
    public void Report(QueuedJob job, int step, IMessage message)
    {
        lock (_lock)
        {
            job.Step = Math.Max(job.Step, step);
        }

        job.Log.Append(step, message);
    }

    /// <summary>Ends a running job.</summary>
    public void End(QueuedJob job, JobState state, RpcStatus? failure)
    {
        lock (_lock)
        {
            job.End(state, time.GetUtcNow(), failure);
        }

        logger.JobEnded(job.Id, state.ToString());
    }

    /// <summary>Whether the server is stopping.</summary>
    public bool IsStopping
    {
        get
        {
            lock (_lock)
            {
                return _stopping;
            }
        }
    }

    /// <summary>Takes no more jobs, ends the waiting ones and asks the running one to stop.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _stopping = true;
            foreach (var job in _waiting)
            {
                job.End(JobState.Cancelled, time.GetUtcNow(), RpcErrors.Stopping());
                JobTelemetry.Dequeued(job.Submission.Kind, null);
            }

            _waiting.Clear();
            foreach (var job in _order.Where(job => job.State == JobState.Running))
            {
                job.Cancellation.Cancel();
            }

            Monitor.PulseAll(_lock);
        }
    }

    private QueuedJob Job(string jobId)
    {
        lock (_lock)
        {
            return _jobs.TryGetValue(jobId, out var job) ? job : throw RpcErrors.NotFound("job", jobId, []).ToRpcException();
        }
    }

    private void TellPositions()
    {
        var position = _order.Any(job => job.State == JobState.Running) ? 1 : 0;
        foreach (var job in _waiting)
        {
            if (job.Position != position)
            {
                job.Position = position;
                var queued = new Queued { Position = position };
                job.Log.Append(0, job.Submission.Kind switch
                {
                    JobKind.Train => new TrainResponse { Queued = queued },
                    JobKind.Generate => new GenerateResponse { Queued = queued },
                    _ => new InterpolateResponse { Queued = queued },
                });
            }

            position++;
        }
    }

    private void Prune()
    {
        foreach (var job in _order.Where(job => job.IsOver).SkipLast(options.JobHistory).ToArray())
        {
            _order.Remove(job);
            _jobs.Remove(job.Id);
            _requests.Remove(job.Submission.RequestId);
        }
    }
}
