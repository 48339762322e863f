using Dti.Engine;
using Dti.Server.Errors;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Storage;
using Dti.Server.Security;
using Dti.Server.Telemetry;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Services;

/// <summary>Turns whatever a call throws into a status; what nobody foresaw is logged.</summary>
internal sealed class ErrorInterceptor(JobSilo silo, ServerPaths paths, ILogger<ErrorInterceptor> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request,
        ServerCallContext context,
        UnaryServerMethod<TRequest, TResponse> continuation
    )
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception error)
        {
            throw Translate(error, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation
    )
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception error)
        {
            throw Translate(error, context);
        }
    }

    private RpcException Translate(Exception error, ServerCallContext context)
    {
        var refusal = StatusOf(error, context);
        if (
            refusal.GetRpcStatus() is { } status
            && paths.Hide(status) is var hidden
            && !ReferenceEquals(hidden, status)
        )
        {
            logger.CallRefusedForAFile(context.Method, status.Message);
            refusal = hidden.ToRpcException();
        }

        Rejected.Count(refusal);
        return refusal;
    }

    private RpcException StatusOf(Exception error, ServerCallContext context)
    {
        switch (error)
        {
            case RpcException known:
                return known;
            case DtiException known:
                return RpcErrors.Of(known).ToRpcException();
            case OperationCanceledException or IOException when context.CancellationToken.IsCancellationRequested:
                return RpcErrors.Gone().ToRpcException();
            case StateUnreadableException unreadable:
                return RpcErrors
                    .Of(
                        new DtiException(
                            ErrorKind.FailedPrecondition,
                            $"{unreadable.Message} Mend the file, or put a backup there."
                        )
                    )
                    .ToRpcException();
            case StateUnwrittenException unwritten:
                return Google.Rpc.Status.Parser.ParseFrom(unwritten.Refusal).ToRpcException();
            case OrleansException when silo.IsStopping: // there is nobody left to answer
                return RpcErrors.Stopping().ToRpcException();
            default:
                logger.CallBroke(error, context.Method);
                return RpcErrors.Internal().ToRpcException();
        }
    }
}
