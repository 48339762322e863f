using Dti.Engine;
using Dti.Server.Errors;
using Dti.Server.Jobs;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Services;

internal sealed class JobGrpcService(IJobs jobs) : JobService.JobServiceBase
{
    public override Task<JobServiceGetResponse> Get(JobServiceGetRequest request, ServerCallContext context) =>
        Task.FromResult(new JobServiceGetResponse { Job = jobs.Get(request.JobId) });

    public override Task<JobServiceListResponse> List(JobServiceListRequest request, ServerCallContext context)
    {
        if (request.PageSize is < 0 or > 1000)
        {
            throw RpcErrors.Invalid([new FieldViolation("page_size", $"page_size is {request.PageSize}; it must be from 1 to 1000, or 0 for 100.")]).ToRpcException();
        }

        var wanted = jobs.List().Where(job => request.States.Count == 0 || request.States.Contains(job.State));
        return Task.FromResult(new JobServiceListResponse { Jobs = { wanted.Take(request.PageSize == 0 ? 100 : request.PageSize) } });
    }

    public override async Task Watch(JobServiceWatchRequest request, IServerStreamWriter<JobServiceWatchResponse> responseStream, ServerCallContext context)
    {
        if (request.FromStep < 0)
        {
            throw RpcErrors.Invalid([new FieldViolation("from_step", $"from_step is {request.FromStep}; it must be 0 or more.")]).ToRpcException();
        }

        if (jobs.Get(request.JobId).Kind != JobKind.Train)
        {
            throw RpcErrors.Precondition($"Job {request.JobId} is not a training job; only those can be watched.", "NOT_A_TRAINING_JOB").ToRpcException();
        }

        await foreach (var message in jobs.WatchAsync(request.JobId, request.FromStep, context.CancellationToken))
        {
            await responseStream.WriteAsync(new JobServiceWatchResponse { Event = (TrainResponse)message }, context.CancellationToken);
        }
    }

    public override Task<JobServiceCancelResponse> Cancel(JobServiceCancelRequest request, ServerCallContext context) =>
        Task.FromResult(new JobServiceCancelResponse { Job = jobs.Cancel(request.JobId) });
}
