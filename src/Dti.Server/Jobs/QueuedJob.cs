using Dti.V1;
using Google.Protobuf.WellKnownTypes;
using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Jobs;

/// <summary>A job in this process; its state changes under the queue's lock.</summary>
internal sealed class QueuedJob(string id, JobSubmission submission, DateTimeOffset created)
{
    private DateTimeOffset? _started;
    private DateTimeOffset? _ended;
    private string _error = "";

    public string Id { get; } = id;

    public DateTimeOffset Created { get; } = created;

    public JobSubmission Submission { get; private set; } = submission;

    public EventLog Log { get; } = new();

    public CancellationTokenSource Cancellation { get; } = new();

    public JobState State { get; private set; } = JobState.Queued;

    public int Step { get; set; }

    public int Position { get; set; } = -1;

    public bool IsOver => State is JobState.Succeeded or JobState.Failed or JobState.Cancelled;

    public void Start(DateTimeOffset now) => (State, _started) = (JobState.Running, now);

    /// <summary>Ends the job. What its request carried, photos above all, is let go.</summary>
    public void End(JobState state, DateTimeOffset now, RpcStatus? failure)
    {
        (State, _ended, _error) = (state, now, failure?.Message ?? "");
        Submission = Submission with { Request = new Empty() };
        Log.Complete(failure);
        Cancellation.Dispose(); // only a running job is cancelled
    }

    public Job ToMessage()
    {
        var job = new Job
        {
            JobId = Id,
            RequestId = Submission.RequestId,
            Kind = Submission.Kind,
            State = State,
            Name = Submission.Name,
            Step = Step,
            TotalSteps = Submission.TotalSteps,
            Created = Timestamp.FromDateTimeOffset(Created),
            Error = _error,
        };
        if (_started is { } started)
        {
            job.Started = Timestamp.FromDateTimeOffset(started);
        }

        if (_ended is { } ended)
        {
            job.Ended = Timestamp.FromDateTimeOffset(ended);
        }

        return job;
    }
}
