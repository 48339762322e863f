using Dti.Server.Errors;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Dti.Server.Security;

/// <summary>
/// Streams last for hours. One whose token is revoked or expires ends within a second, also while it has no event to
/// send.
/// </summary>
internal sealed class StreamGuard(TokenCheck tokens, OpenStreams streams) : Interceptor
{
    private const string Key = "dti.stream";

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation
    )
    {
        var needed = RpcScopes.Of(context.Method);
        if (needed == Scopes.None)
        {
            await continuation(request, responseStream, context);
            return;
        }

        var callerNow = tokens.Later(context.GetHttpContext());
        using var stream = streams.Add(
            () => callerNow(OpenStreams.Period / 2) is { } caller && caller.Has(needed),
            context.CancellationToken
        );
        context.UserState[Key] = stream;
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (OperationCanceledException) when (stream.IsRevoked)
        {
            throw Refusals.Unauthenticated();
        }
    }

    /// <summary>Ends when the caller of a stream goes away or may no longer call.</summary>
    public static CancellationToken TokenOf(ServerCallContext context) =>
        context.UserState.TryGetValue(Key, out var stream)
            ? ((OpenStreams.Stream)stream).Token
            : context.CancellationToken;
}
