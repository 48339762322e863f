using System.Diagnostics;
using Dti.Server.Security;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Jobs;

/// <summary>A job to be done. All of it can be written to disk: nothing refers to memory of this process.</summary>
/// <param name="Kind">What is asked.</param>
/// <param name="Request">The request with every setting resolved, so that it can be repeated.</param>
/// <param name="RequestId">Idempotency key; empty: none.</param>
/// <param name="Fingerprint">Hash of the request as it came.</param>
/// <param name="Name">The concept's name, for training.</param>
/// <param name="TotalSteps">Steps asked.</param>
/// <param name="Accepted">Makes the first event from the job's id.</param>
internal sealed record JobSubmission(
    JobKind Kind, IMessage Request, string RequestId, string Fingerprint, string Name, int TotalSteps, Func<string, IMessage> Accepted)
{
    /// <summary>Whose job it is.</summary>
    public required Caller Caller { get; init; }

    /// <summary>Pictures and frames that it draws; previews of a training are not counted.</summary>
    public int Pictures { get; init; }

    /// <summary>W3C's traceparent of the call that submits it; null: that is not traced.</summary>
    public string? TraceParent { get; init; } = Activity.Current?.Id;
}

/// <summary>What callers do with jobs; says nothing of where they run.</summary>
internal interface IJobs
{
    /// <summary>Submits a job, or finds the one with the same request id.</summary>
    /// <returns>The job's id, and whether it was there already.</returns>
    /// <exception cref="Grpc.Core.RpcException">The queue is full, or the request id stands for another request.</exception>
    (string JobId, bool Attached) Submit(JobSubmission submission);

    /// <summary>Finds the job of a request id.</summary>
    /// <exception cref="Grpc.Core.RpcException">It stands for another request.</exception>
    string? Find(string requestId, string fingerprint);

    /// <summary>The events of a job from a step on, then those to come.</summary>
    /// <exception cref="Grpc.Core.RpcException">There is no such job; or, after all events, it failed or was cancelled.</exception>
    IAsyncEnumerable<IMessage> WatchAsync(string jobId, int fromStep, CancellationToken cancellationToken);

    /// <summary>Stops a job within one step; a finished one stays as it is.</summary>
    /// <exception cref="Grpc.Core.RpcException">There is no such job.</exception>
    Job Cancel(string jobId);

    /// <summary>One job.</summary>
    /// <exception cref="Grpc.Core.RpcException">There is no such job.</exception>
    Job Get(string jobId);

    /// <summary>All jobs, newest first.</summary>
    IReadOnlyList<Job> List();
}

/// <summary>Does the work of one job on the device.</summary>
internal interface IJobRunner
{
    /// <summary>Events with the step each belongs to (0: none), made as they are asked for, on the caller's thread.</summary>
    IEnumerable<(int Step, IMessage Message)> Run(JobSubmission job, CancellationToken cancellationToken);
}
