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

/// <summary>Ends calls that throw with the status of the exception, and logs unforeseen exceptions.</summary>
internal sealed class ErrorInterceptor(JobSilo silo, ServerPaths paths, ILogger<ErrorInterceptor> logger) : Interceptor
{
    private const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel.Core";

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
        var cause = CauseOf(
            error,
            context.CancellationToken.IsCancellationRequested,
            silo.IsStopping,
            silo.IsOfCluster
        );
        if (!StatusMapper.IsForeseen(cause))
        {
            logger.UnexpectedCallFailure(cause, context.Method);
        }

        var status = StatusMapper.StatusOf(cause);
        var hidden = paths.Hide(status);
        if (!ReferenceEquals(hidden, status))
        {
            logger.FileAccessFailed(context.Method, status.Message);
        }

        Rejected.Count(hidden);
        return cause as RpcException ?? hidden.ToRpcException(); // gRPC's own services say it themselves
    }

    /// <summary>The error as the caller is to understand it, where the exception alone does not tell.</summary>
    /// <param name="error">What a call threw.</param>
    /// <param name="isCallCancelled">Whether its caller disconnected.</param>
    /// <param name="isStopping">Whether the silo stops.</param>
    /// <param name="isOfCluster">Whether the silo is one of several.</param>
    internal static Exception CauseOf(Exception error, bool isCallCancelled, bool isStopping, bool isOfCluster) =>
        error switch
        {
            DtiException or StatusException or RpcException => error,
            OperationCanceledException or IOException when isCallCancelled => Refusals.CallerDisconnected(),
            // so Kestrel answers a write to a connection that has just been closed, before it cancels the call
            InvalidOperationException { Source: Kestrel } => Refusals.CallerDisconnected(),
            StateUnreadableException => new DtiException(
                ErrorKind.FailedPrecondition,
                $"{error.Message} Mend the file, or put a backup there."
            ),
            StateUnwrittenException unwritten => StatusException.Parse(unwritten.Refusal),
            OrleansException when isStopping => Refusals.ServerStopping(), // there is nobody left to answer
            // Orleans cancels a call whose time is over before its grain has a new host
            OrleansException or TimeoutException or OperationCanceledException when isOfCluster =>
                Refusals.ClusterChanging(),
            _ => error,
        };
}
