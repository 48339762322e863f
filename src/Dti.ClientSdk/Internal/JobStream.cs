using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dti.ClientSdk.Internal;

/// <summary>The events of one job, across lost connections.</summary>
internal static class JobStream
{
    private static readonly TimeSpan _notifyAfter = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Waits until the job's server answers: job id, what was lost, when to give up, and the delay between the first
    /// two tries.
    /// </summary>
    public delegate Task FindServer(
        string jobId,
        DtiClientException lost,
        DateTime end,
        TimeSpan firstDelay,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// Reads from <paramref name="start"/>; whenever the connection drops, continues with <paramref name="watch"/>.
    /// </summary>
    /// <typeparam name="TUpdate">The kind of event.</typeparam>
    /// <param name="start">The first connection.</param>
    /// <param name="watch">A further one: job id and first step to events. Null: a lost connection is an error.</param>
    /// <param name="find">Waits for the server before that.</param>
    /// <param name="cursor">What was seen.</param>
    /// <param name="deadline">Of every connection; null: none.</param>
    /// <param name="options">How long to wait.</param>
    /// <param name="logger">Told of each loss.</param>
    /// <param name="cancellationToken">Ends the sequence; the job continues.</param>
    public static async IAsyncEnumerable<TUpdate> FollowAsync<TUpdate>(
        Func<IAsyncEnumerable<TUpdate>> start,
        Func<string, int, IAsyncEnumerable<TUpdate>>? watch,
        FindServer find,
        IJobCursor<TUpdate> cursor,
        DateTime? deadline,
        DtiClientOptions options,
        ILogger logger,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
        where TUpdate : class
    {
        var source = start();
        DateTime? since = null;
        for (var tries = 0; ; tries++)
        {
            DtiClientException? lost = null;
            var updates = source.GetAsyncEnumerator(cancellationToken);
            await using (updates.ConfigureAwait(false))
            {
                while (true)
                {
                    try
                    {
                        if (!await updates.MoveNextAsync().ConfigureAwait(false))
                            break;
                    }
                    catch (DtiClientException exception) when (exception.Status == StatusCode.Unavailable)
                    {
                        lost = exception;
                        break;
                    }

                    since = null;
                    if (cursor.Take(updates.Current) is not { } update)
                        continue;
                    tries = 0;
                    yield return update;
                }
            }

            if (cursor.Finished)
                yield break;

            if (Errors.HasPassed(deadline))
                throw Errors.DeadlineExceeded(lost);
            lost ??= new DtiClientException(
                StatusCode.Unavailable,
                "The server ended the stream before its last event."
            );
            if (watch is null || cursor.JobId is not { } jobId || !options.PicksUp)
                throw lost;

            since ??= DateTime.UtcNow;
            var end = since.Value + options.ReconnectTimeout;
            if (DateTime.UtcNow >= end)
            {
                logger.ReconnectAbandoned(jobId, options.ReconnectTimeout);
                throw lost;
            }

            logger.Reconnecting(jobId, cursor.Step, options.ReconnectTimeout);
            if (tries > 0) // a connection that is lost again and again is not picked up ever faster
                await Task.Delay(Shorter(Retries.Delay(options.RetryDelay, tries), _notifyAfter), cancellationToken)
                    .ConfigureAwait(false);
            var found = find(jobId, lost, deadline < end ? deadline.Value : end, options.RetryDelay, cancellationToken);
            if (await Task.WhenAny(found, Task.Delay(_notifyAfter, cancellationToken)).ConfigureAwait(false) != found)
                yield return cursor.ConnectionLost(since.Value, end);
            try
            {
                await found.ConfigureAwait(false);
            }
            catch (DtiClientException exception) when (exception == lost)
            {
                if (Errors.HasPassed(deadline))
                    throw Errors.DeadlineExceeded(lost);
                logger.ReconnectAbandoned(jobId, options.ReconnectTimeout);
                throw;
            }

            source = watch(jobId, cursor.Step);
        }
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
