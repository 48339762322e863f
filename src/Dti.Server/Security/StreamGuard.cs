using Dti.Server.Errors;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Dti.Server.Security;

/// <summary>Streams last for hours: before an event goes out, its caller must still be let in. A token that is revoked or expires ends them.</summary>
internal sealed class StreamGuard(TokenCheck tokens, TimeProvider time) : Interceptor
{
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1); // a training may take a hundred steps in it

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var needed = RpcScopes.Of(context.Method);
        return continuation(request, needed == Scopes.None ? responseStream : new Guarded<TResponse>(responseStream, () => EnsureStill(context, needed), time), context);
    }

    private void EnsureStill(ServerCallContext context, Scopes needed)
    {
        if (tokens.Check(context.GetHttpContext(), _pause / 2).Caller is not { } caller || !caller.Has(needed))
        {
            throw RpcErrors.Unauthenticated().ToRpcException();
        }
    }

    private sealed class Guarded<T>(IServerStreamWriter<T> inner, Action ensure, TimeProvider time) : IServerStreamWriter<T>
    {
        private long _checked = time.GetTimestamp();

        public WriteOptions? WriteOptions
        {
            get => inner.WriteOptions;
            set => inner.WriteOptions = value;
        }

        public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

        public Task WriteAsync(T message, CancellationToken cancellationToken)
        {
            if (time.GetElapsedTime(_checked) >= _pause)
            {
                ensure();
                _checked = time.GetTimestamp();
            }

            return inner.WriteAsync(message, cancellationToken);
        }
    }
}
