using Dti.Engine;
using Dti.Server.Jobs;
using Dti.Server.Security;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Services;

internal sealed class JobGrpcService(IJobs jobs) : JobService.JobServiceBase
{
    public override async Task<JobServiceGetResponse> Get(JobServiceGetRequest request, ServerCallContext context) =>
        new() { Job = await jobs.GetAsync(request.JobId, Caller.Of(context)) };

    public override async Task<JobServiceListResponse> List(JobServiceListRequest request, ServerCallContext context)
    {
        if (request.PageSize is < 0 or > 1000)
        {
            throw new ValidationException([
                new FieldViolation(
                    "page_size",
                    $"page_size is {request.PageSize}; it must be from 1 to 1000, or 0 for 100."
                ),
            ]);
        }

        return new JobServiceListResponse
        {
            Jobs =
            {
                await jobs.ListAsync(
                    Caller.Of(context),
                    request.States,
                    request.PageSize == 0 ? 100 : request.PageSize
                ),
            },
        };
    }

    public override async Task Watch(
        JobServiceWatchRequest request,
        IServerStreamWriter<JobServiceWatchResponse> responseStream,
        ServerCallContext context
    )
    {
        if (request.FromStep < 0)
        {
            throw new ValidationException([
                new FieldViolation("from_step", $"from_step is {request.FromStep}; it must be 0 or more."),
            ]);
        }

        var ends = StreamGuard.TokenOf(context);
        await foreach (var message in jobs.WatchAsync(request.JobId, Caller.Of(context), request.FromStep, ends))
        {
            await responseStream.WriteAsync(
                message switch
                {
                    TrainResponse train => new JobServiceWatchResponse { Event = train },
                    GenerateResponse generate => new JobServiceWatchResponse { Generate = generate },
                    _ => new JobServiceWatchResponse { Interpolate = (InterpolateResponse)message },
                },
                ends
            );
        }
    }

    public override async Task<JobServiceCancelResponse> Cancel(
        JobServiceCancelRequest request,
        ServerCallContext context
    ) => new() { Job = await jobs.CancelAsync(request.JobId, Caller.Of(context)) };
}
