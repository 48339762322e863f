using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Errors;
using Dti.Server.Libraries;
using Dti.Server.Security;
using Dti.V1;

namespace Dti.Server.Jobs.Grains;

/// <summary>Decides whether the queue admits a job.</summary>
internal sealed class QueueAdmission(DtiServerOptions options, CallerQuotas quotas)
{
    /// <summary>The refusal of a job while the queue is full; null: it is not.</summary>
    /// <param name="waiting">How many jobs wait.</param>
    public DtiException? CheckLength(int waiting) =>
        waiting < options.MaxQueuedJobs
            ? null
            : Refusals.ResourceExhausted(
                $"The queue is full: {waiting} jobs are waiting.",
                "QUEUE_FULL",
                TimeSpan.FromSeconds(30)
            );

    /// <summary>
    /// The refusal of a job that exceeds its caller's quotas; null: it is admitted, and its images are counted.
    /// </summary>
    /// <param name="ticket">The job.</param>
    /// <param name="waiting">Jobs that wait.</param>
    public DtiException? CheckQuotas(JobTicket ticket, IEnumerable<QueueEntry> waiting) =>
        quotas.Admit(ticket.Caller, waiting.Count(other => other.Ticket.Caller == ticket.Caller), ticket.Pictures);

    /// <summary>
    /// The training that waits or runs under a name, or under one that prompts could not distinguish from it; null:
    /// none.
    /// </summary>
    public static JobTicket? TrainingOf(string name, string placeholder, IEnumerable<QueueEntry> entries) =>
        entries
            .FirstOrDefault(other =>
                other.Ended is null
                && other.Ticket.Kind == JobKind.Train
                && ConceptNames.AreAmbiguous(name, placeholder, other.Ticket.Name, other.Ticket.Placeholder)
            )
            ?.Ticket;

    /// <summary>The refusal of a name under which a training waits or runs.</summary>
    /// <param name="name">The name.</param>
    /// <param name="rival">The training.</param>
    /// <param name="caller">Who asks: the trainings of others are not described.</param>
    public static DtiException NameInTraining(string name, JobTicket rival, Caller caller) =>
        caller.MaySee(rival.Caller)
            ? Refusals.AlreadyExists(
                $"Job {rival.JobId} is training a concept '{rival.Name}' already; wait for it, cancel it, or choose another name.",
                "CONCEPT_IN_TRAINING"
            )
            : CallerConcepts.NameTaken(name);

    /// <summary>What became of an earlier submission with the same request id; null: there is none.</summary>
    public static (JobTicket? Known, DtiException? Refusal)? Find(
        string caller,
        string requestId,
        string fingerprint,
        IEnumerable<QueueEntry> entries
    ) =>
        entries.FirstOrDefault(entry => entry.Ticket.RequestId == requestId && entry.Ticket.Caller == caller)?.Ticket
            is not { } known
            ? null
        : known.Fingerprint == fingerprint ? (known, null)
        : (
            null,
            Refusals.FailedPrecondition(
                $"request_id '{requestId}' was used for another request; choose a new one.",
                "REQUEST_ID_REUSED"
            )
        );
}
