using System.Diagnostics;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Telemetry;

/// <summary>Metrics and traces of the queue and of workers.</summary>
internal static class JobTelemetry
{
    /// <summary>A job began to wait.</summary>
    public static void Enqueued(JobKind kind) => DtiMetrics.JobsWaiting.Add(1, Kind(kind));

    /// <summary>A job waits no more: it was taken, or cancelled in the queue.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="waited">How long; null: it never started.</param>
    public static void Dequeued(JobKind kind, TimeSpan? waited)
    {
        DtiMetrics.JobsWaiting.Add(-1, Kind(kind));
        if (waited is { } time)
        {
            DtiMetrics.JobWait.Record(time.TotalSeconds, Kind(kind));
        }
    }

    /// <summary>A job runs until the result is disposed, on the thread that does so.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="traceParent"><see cref="Activity.Id"/> of the call that submitted it; null: none, or it was not
    /// traced.</param>
    public static RunningJob Start(string jobId, JobKind kind, string? traceParent) => new(jobId, kind, traceParent);

    internal static KeyValuePair<string, object?> Kind(JobKind kind) => new("dti.job.kind", Lower(kind));

    internal static string Lower<T>(T value)
        where T : struct, Enum => $"{value}".ToLowerInvariant();
}

/// <summary>The span of a job that runs, and its numbers.</summary>
internal sealed class RunningJob : IDisposable
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly JobKind _kind;
    private readonly Activity? _activity;
    private JobState _state = JobState.Failed;

    internal RunningJob(string jobId, JobKind kind, string? traceParent)
    {
        _kind = kind;
        _activity = Tracing.Start($"job {JobTelemetry.Lower(kind)}", traceParent);
        _activity?.SetTag("dti.job.id", jobId).SetTag("dti.job.kind", JobTelemetry.Lower(kind));
        DtiMetrics.JobsRunning.Add(1, JobTelemetry.Kind(kind));
    }

    /// <summary>The events as they are, each step timed: what the consumer does between two is not counted.</summary>
    public IEnumerable<(int Step, IMessage Message)> Watch(IEnumerable<(int Step, IMessage Message)> events)
    {
        using var each = events.GetEnumerator();
        while (true)
        {
            var start = Stopwatch.GetTimestamp();
            if (!each.MoveNext())
            {
                yield break;
            }

            See(each.Current.Message, Stopwatch.GetElapsedTime(start));
            yield return each.Current;
        }
    }

    /// <summary>Says how the job ended; unsaid: it failed.</summary>
    /// <param name="state">Its last state.</param>
    /// <param name="reason">Why it did not succeed.</param>
    public void End(JobState state, string reason = "")
    {
        _state = state;
        if (state == JobState.Failed)
        {
            _activity?.SetStatus(ActivityStatusCode.Error, reason);
        }
    }

    public void Dispose()
    {
        DtiMetrics.JobsRunning.Add(-1, JobTelemetry.Kind(_kind));
        DtiMetrics.JobDuration.Record(
            Stopwatch.GetElapsedTime(_start).TotalSeconds,
            JobTelemetry.Kind(_kind),
            new("dti.job.state", JobTelemetry.Lower(_state))
        );
        _activity?.SetTag("dti.job.state", JobTelemetry.Lower(_state));
        _activity?.Dispose();
    }

    private void See(IMessage message, TimeSpan took)
    {
        switch (message)
        {
            case TrainResponse { Progress: { } step }:
                DtiMetrics.StepDuration.Record(took.TotalSeconds, JobTelemetry.Kind(_kind));
                DtiMetrics.TrainingStep.Record(step.Step);
                DtiMetrics.TrainingLoss.Record(step.Loss);
                DtiMetrics.TrainingLossAverage.Record(step.LossAverage);
                break;
            case GenerateResponse { Progress: not null } or InterpolateResponse { Progress: not null }:
                DtiMetrics.StepDuration.Record(took.TotalSeconds, JobTelemetry.Kind(_kind));
                break;
        }
    }
}
