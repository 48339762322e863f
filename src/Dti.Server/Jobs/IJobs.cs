using Dti.Server.Jobs.Grains;
using Dti.Server.Security;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Jobs;

/// <summary>A job to be done. All of it can be written to disk: nothing refers to memory of this process.</summary>
/// <param name="Ticket">What the queue knows of it.</param>
/// <param name="Request">The request with every setting resolved, so that it can be repeated.</param>
/// <param name="Accepted">Its first event.</param>
internal sealed record JobSubmission(JobTicket Ticket, IMessage Request, IMessage Accepted);

/// <summary>
/// What callers do with jobs; says nothing of where they run. Callers see their own jobs, an admin all.
/// </summary>
internal interface IJobs
{
    /// <summary>Submits a job, or finds the one with the same request id.</summary>
    /// <returns>The job's id, and whether it was there already.</returns>
    /// <exception cref="Dti.Engine.DtiException">The queue is full, or the request id stands for another
    /// request.</exception>
    Task<(string JobId, bool Attached)> SubmitAsync(JobSubmission submission);

    /// <summary>Finds the job of a caller's request id.</summary>
    /// <exception cref="Dti.Engine.DtiException">It stands for another request.</exception>
    Task<string?> FindAsync(Caller caller, string requestId, string fingerprint);

    /// <summary>
    /// Refuses a name under which a training waits or runs, or that prompts could not distinguish from its placeholder.
    /// </summary>
    /// <param name="name">A concept's name.</param>
    /// <param name="placeholder">Its placeholder; empty: the one of its name.</param>
    /// <param name="caller">Who asks.</param>
    /// <exception cref="Dti.Engine.DtiException">One does.</exception>
    Task EnsureUntrainedAsync(string name, string placeholder, Caller caller);

    /// <summary>The events of a job from a step on, then those to come.</summary>
    /// <exception cref="Dti.Engine.DtiException">There is no such job; or, after all events, it failed or was
    /// cancelled.</exception>
    IAsyncEnumerable<IMessage> WatchAsync(
        string jobId,
        Caller caller,
        int fromStep,
        CancellationToken cancellationToken
    );

    /// <summary>Stops a job within one step; a finished one stays as it is.</summary>
    /// <exception cref="Dti.Engine.DtiException">There is no such job.</exception>
    Task<Job> CancelAsync(string jobId, Caller caller);

    /// <summary>The caller of a job went away. Stops it, unless all connections end because the server stops.</summary>
    Task AbandonAsync(string jobId);

    /// <summary>One job.</summary>
    /// <exception cref="Dti.Engine.DtiException">There is no such job.</exception>
    Task<Job> GetAsync(string jobId, Caller caller);

    /// <summary>Jobs, newest first.</summary>
    /// <param name="caller">Whose.</param>
    /// <param name="states">Only in one of these; empty: all.</param>
    /// <param name="count">At most.</param>
    Task<IReadOnlyList<Job>> ListAsync(Caller caller, IReadOnlyCollection<JobState> states, int count);
}

/// <summary>Does the work of one job on the device.</summary>
internal interface IJobRunner
{
    /// <summary>
    /// Events with the step each belongs to (0: none), made as they are asked for, on the caller's thread.
    /// </summary>
    /// <exception cref="JobLostException">Another process has the job.</exception>
    IEnumerable<(int Step, IMessage Message)> Run(
        IMessage request,
        JobAttempt attempt,
        CancellationToken cancellationToken
    );
}
