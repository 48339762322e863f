using Grpc.Core;

namespace Dti.ClientSdk.Internal;

/// <summary>
/// Finds a server again that went away. A peer that accepts connections and says nothing can eat a try whole, so a
/// further one begins every second, whether or not those before it have ended; the first that is answered wins.
/// </summary>
internal static class ServerSearch
{
    private static readonly TimeSpan _longestDelay = TimeSpan.FromSeconds(1);

    /// <summary>Asks until there is an answer.</summary>
    /// <typeparam name="T">What a try gives: the connection that was answered.</typeparam>
    /// <param name="ask">One try, which gives up when its token is cancelled.</param>
    /// <param name="discard">Takes back what a try gave that came too late; null: nothing is to be done.</param>
    /// <param name="firstDelay">Between the first try and the second; each further one waits twice as long, at most a
    /// second.</param>
    /// <param name="lost">Why there is a search; thrown when the time is up.</param>
    /// <param name="end">When to give up, UTC.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="DtiClientException">The time is up, or the server is there and refuses.</exception>
    public static async Task<T> FindAsync<T>(
        Func<CancellationToken, Task<T>> ask,
        Action<T>? discard,
        TimeSpan firstDelay,
        DtiClientException lost,
        DateTime end,
        CancellationToken cancellationToken
    )
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tries = new List<Task<T>>();
        try
        {
            for (var delay = firstDelay; DateTime.UtcNow < end; delay = Min(delay + delay, _longestDelay))
            {
                tries.Add(ask(over.Token));
                var next = Task.Delay(
                    Min(Min(delay, _longestDelay), Max(end - DateTime.UtcNow, TimeSpan.Zero)),
                    over.Token
                );
                while (await Task.WhenAny([.. tries, next]).ConfigureAwait(false) is Task<T> ended)
                {
                    tries.Remove(ended);
                    if (ended.Status == TaskStatus.RanToCompletion)
                        return await ended.ConfigureAwait(false);
                    cancellationToken.ThrowIfCancellationRequested();
                    if (
                        ended.Exception?.InnerException
                        is { } failure
                            and not DtiClientException { Status: StatusCode.Unavailable or StatusCode.DeadlineExceeded }
                    )
                        throw failure;
                }

                await next.ConfigureAwait(false);
            }

            throw lost;
        }
        finally
        {
            over.Cancel();
            foreach (var late in tries)
                _ = late.ContinueWith(
                    Discard,
                    CancellationToken.None,
                    TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default
                );
        }

        void Discard(Task<T> late)
        {
            if (late.Status == TaskStatus.RanToCompletion)
                discard?.Invoke(late.Result);
            else
                _ = late.Exception; // seen
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
