using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Dti.ClientSdk.Internal;

/// <summary>A server stream as an async sequence of public records.</summary>
internal static class Streams
{
    public static async IAsyncEnumerable<TUpdate> ReadAsync<TMessage, TUpdate>(
        Func<CancellationToken, AsyncServerStreamingCall<TMessage>> open,
        Func<TMessage, TUpdate?> convert,
        DateTime? deadline,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
        where TUpdate : class
    {
        using var call = open(cancellationToken);
        while (await NextAsync(call.ResponseStream, deadline, cancellationToken).ConfigureAwait(false))
        {
            if (convert(call.ResponseStream.Current) is { } update)
                yield return update;
        }
    }

    private static async Task<bool> NextAsync<TMessage>(
        IAsyncStreamReader<TMessage> stream,
        DateTime? deadline,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await stream.MoveNext(cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException exception)
        {
            throw Errors.Translate(exception, cancellationToken, deadline);
        }
    }
}
