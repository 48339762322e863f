using Dti.Engine.Training;
using Dti.Server.Configuration;
using Dti.Server.Jobs;
using Dti.Server.Security;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Dti.Server.Services;

/// <summary>
/// Train, Generate, Interpolate: each checks its request whole, submits a job and streams the job's events.
/// </summary>
internal sealed class DtiGrpcService(
    DtiServerOptions options,
    IJobs jobs,
    TrainRequestResolver trainings,
    GenerateRequestResolver generations,
    InterpolateRequestResolver interpolations,
    HeavyCalls heavy
) : DtiService.DtiServiceBase
{
    public override async Task Train(
        TrainRequest request,
        IServerStreamWriter<TrainResponse> responseStream,
        ServerCallContext context
    )
    {
        var (caller, ends) = (Caller.Of(context), StreamGuard.TokenOf(context));
        var (jobId, attached) = await SubmitAsync(request, caller, ends);
        request.Photos.Clear(); // they are on disk: a stream that lasts for hours must not hold them in memory
        context.GetHttpContext().Features.Get<BytesInFlight.Account>()?.Dispose();
        try
        {
            await foreach (var message in jobs.WatchAsync(jobId, caller, 0, ends))
            {
                await responseStream.WriteAsync(Marked((TrainResponse)message, attached), ends);
            }
        }
        finally
        {
            if (request.CancelOnDisconnect)
            {
                await jobs.AbandonAsync(jobId); // the caller disconnected; a finished job stays as it is
            }
        }
    }

    public override Task Generate(
        GenerateRequest request,
        IServerStreamWriter<GenerateResponse> responseStream,
        ServerCallContext context
    ) => StreamAsync(generations.Resolve(request, Caller.Of(context)), responseStream, context);

    public override Task Interpolate(
        InterpolateRequest request,
        IServerStreamWriter<InterpolateResponse> responseStream,
        ServerCallContext context
    ) => StreamAsync(interpolations.Resolve(request, Caller.Of(context)), responseStream, context);

    private async Task StreamAsync<T>(
        JobSubmission submission,
        IServerStreamWriter<T> responseStream,
        ServerCallContext context
    )
        where T : IMessage
    {
        var ends = StreamGuard.TokenOf(context);
        var (jobId, _) = await jobs.SubmitAsync(submission);
        try
        {
            await foreach (var message in jobs.WatchAsync(jobId, submission.Ticket.Owner, 0, ends))
            {
                await responseStream.WriteAsync((T)message, ends);
            }
        }
        finally
        {
            await jobs.AbandonAsync(jobId); // the caller disconnected; a finished job stays as it is
        }
    }

    private static TrainResponse Marked(TrainResponse message, bool attached)
    {
        if (!attached || message.EventCase != TrainResponse.EventOneofCase.Accepted)
        {
            return message;
        }

        var marked = message.Clone();
        marked.Accepted.Attached = true;
        return marked;
    }

    private async Task<(string JobId, bool Attached)> SubmitAsync(
        TrainRequest request,
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        var asked = request.Clone();
        (asked.RequestId, asked.CancelOnDisconnect) = ("", false);
        var fingerprint = RequestChecks.Fingerprint(asked);
        if (await FindAsync() is { } known)
        {
            return (known, true);
        }

        // What needs no pixels is checked first. Photos are then decoded one at a time, each in a turn of its own.
        var (submission, photos, initializer) = await heavy.RunAsync(
            caller.Id,
            _ => Task.FromResult(trainings.Resolve(request, fingerprint, caller)),
            cancellationToken
        );
        var checks = new RequestChecks();
        foreach (var (index, photo) in photos.Index())
        {
            var wrong = await heavy.RunAsync(
                caller.Id,
                _ => Task.FromResult(TrainingSet.Check(photo, index, options.ImageLimits, initializer)),
                cancellationToken
            );
            checks.Add(wrong is null ? null : [wrong]);
            if (await FindAsync() is { } submitted)
            {
                return (submitted, true);
            }
        }

        checks.ThrowIfAny();
        return await jobs.SubmitAsync(submission);

        Task<string?> FindAsync() =>
            request.RequestId.Length > 0 && RequestChecks.IsRequestId(request.RequestId)
                ? jobs.FindAsync(caller, request.RequestId, fingerprint)
                : Task.FromResult<string?>(null);
    }
}
