using Dti.Server.Security;
using Dti.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dti.Server.Jobs.Grains;

/// <summary>The state of a job, stored on disk and sent between silos.</summary>
[GenerateSerializer]
[Alias("dti.job-record")]
internal sealed record JobRecord
{
    /// <summary>Null: there is no such job.</summary>
    [Id(0)]
    public JobTicket? Ticket { get; set; }

    [Id(1)]
    public JobState State { get; set; }

    /// <summary>
    /// The number of its attempts. Only the newest attempt may write: an older one that still runs somewhere has lost
    /// its lease.
    /// </summary>
    [Id(2)]
    public int Epoch { get; set; }

    [Id(3)]
    public DateTimeOffset? Started { get; set; }

    [Id(4)]
    public DateTimeOffset? Ended { get; set; }

    /// <summary>
    /// Serialized <c>google.rpc.Status</c> of a job that did not succeed; empty: it did, or is not over.
    /// </summary>
    [Id(5)]
    public byte[] Failure { get; set; } = [];

    /// <summary>The step at which the process of an attempt last crashed; null: none has.</summary>
    [Id(6)]
    public int? LastCrashStep { get; set; }

    /// <summary>Whether its cancellation was requested.</summary>
    [Id(7)]
    public bool CancelRequested { get; set; }

    /// <summary>Steps done; newer in memory than on disk while the job runs.</summary>
    [Id(8)]
    public int Step { get; set; }

    public bool IsOver => State is JobState.Succeeded or JobState.Failed or JobState.Cancelled;

    public Google.Rpc.Status? FailureStatus => Failure.Length == 0 ? null : Google.Rpc.Status.Parser.ParseFrom(Failure);

    public Job ToMessage(ServerPaths paths)
    {
        var ticket = Ticket!;
        var job = new Job
        {
            JobId = ticket.JobId,
            RequestId = ticket.RequestId,
            Kind = ticket.Kind,
            State = State,
            Name = ticket.Name,
            Step = Step,
            TotalSteps = ticket.TotalSteps,
            Created = Timestamp.FromDateTimeOffset(ticket.Created),
            Error = paths.Hide(FailureStatus?.Message ?? ""),
        };
        if (Started is { } started)
        {
            job.Started = Timestamp.FromDateTimeOffset(started);
        }

        if (Ended is { } ended)
        {
            job.Ended = Timestamp.FromDateTimeOffset(ended);
        }

        return job;
    }
}
