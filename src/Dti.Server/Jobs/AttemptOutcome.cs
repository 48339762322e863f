using Dti.Engine;
using Dti.Engine.Runtime.Files;
using Dti.Server.Errors;
using Dti.Server.Jobs.Grains;
using Dti.Server.ObjectStorage;

namespace Dti.Server.Jobs;

/// <summary>What becomes of a job when an attempt at it is over.</summary>
internal enum AttemptEnd
{
    /// <summary>The job succeeded.</summary>
    Succeeded,

    /// <summary>The job was cancelled by its caller.</summary>
    Cancelled,

    /// <summary>The job failed.</summary>
    Failed,

    /// <summary>The job waits again: the server stops.</summary>
    Requeued,

    /// <summary>The job waits again, and is not run during a training again.</summary>
    RequeuedAlone,

    /// <summary>Another process has the job.</summary>
    Lost,
}

/// <summary>How an attempt ended.</summary>
/// <param name="End">What becomes of the job.</param>
/// <param name="Error">The cause; null: the job succeeded.</param>
/// <param name="Failure">The status that watchers get; null: the job succeeded or is not over.</param>
internal sealed record AttemptOutcome(AttemptEnd End, Exception? Error = null, Google.Rpc.Status? Failure = null)
{
    /// <summary>Whether the job is over.</summary>
    public bool IsOver => End is AttemptEnd.Succeeded or AttemptEnd.Cancelled or AttemptEnd.Failed;

    /// <summary>Whether the error tells an operator nothing that its message does not.</summary>
    public bool IsForeseen => Error is DtiException or IOException or JobLostException;

    /// <summary>The outcome of an attempt that threw.</summary>
    /// <param name="error">The exception.</param>
    /// <param name="ticket">The job.</param>
    /// <param name="isStopRequested">Whether the attempt was asked to stop.</param>
    /// <param name="isCancelled">Whether it was asked to because the caller cancelled the job.</param>
    /// <param name="isDuringTraining">Whether it ran between the steps of a training.</param>
    /// <param name="folder">The job's folder, for errors of files.</param>
    public static AttemptOutcome Of(
        Exception error,
        JobTicket ticket,
        bool isStopRequested,
        bool isCancelled,
        bool isDuringTraining,
        string folder
    ) =>
        error switch
        {
            OperationCanceledException when isStopRequested => isCancelled
                ? new(AttemptEnd.Cancelled, error, StatusMapper.StatusOf(Refusals.JobCancelled(ticket.JobId)))
                : new(AttemptEnd.Requeued, error),
            JobLostException => new(AttemptEnd.Lost, error),
            // another attempt continues when the storage answers
            _ when StorageErrors.IsUnavailable(error) => new(AttemptEnd.Requeued, error),
            // its model does not fit into memory together with the training's
            DtiException { Reason: Refusals.ModelMemoryFull } when ticket.IsInteractive && isDuringTraining => new(
                AttemptEnd.RequeuedAlone,
                error
            ),
            _ => new(AttemptEnd.Failed, error, StatusOf(error, folder)),
        };

    /// <summary>The status of a job that failed with an exception.</summary>
    /// <param name="error">The exception.</param>
    /// <param name="folder">The job's folder, for errors of files.</param>
    public static Google.Rpc.Status StatusOf(Exception error, string folder) =>
        StatusMapper.StatusOf(
            error is IOException or UnauthorizedAccessException ? AtomicFile.Explain(folder, error) : error
        );
}
