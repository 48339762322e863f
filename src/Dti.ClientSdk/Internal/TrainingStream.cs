using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dti.ClientSdk.Internal;

/// <summary>The events of one training job, across lost connections.</summary>
internal static class TrainingStream
{
    /// <summary>Reads from <paramref name="start"/>; whenever the connection drops, goes on with <paramref name="watch"/>.</summary>
    /// <param name="start">The first connection.</param>
    /// <param name="watch">A further one: job id and first step to events. Null: a lost connection is an error.</param>
    /// <param name="cursor">What was seen.</param>
    /// <param name="deadline">Of every connection; null: none.</param>
    /// <param name="options">How often and after what wait to try again.</param>
    /// <param name="logger">Told of each try.</param>
    /// <param name="cancellationToken">Ends the sequence; the job goes on.</param>
    public static async IAsyncEnumerable<TrainingUpdate> FollowAsync(
        Func<IAsyncEnumerable<TrainingUpdate>> start, Func<string, int, IAsyncEnumerable<TrainingUpdate>>? watch,
        TrainingCursor cursor, DateTime? deadline, DtiClientOptions options, ILogger logger, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var source = start();
        for (var tries = 0; ;)
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

                    tries = 0;
                    if (cursor.IsNew(updates.Current))
                        yield return updates.Current;
                }
            }

            if (cursor.Finished)
                yield break;

            if (Errors.HasPassed(deadline))
                throw Errors.DeadlineExceeded(lost);
            lost ??= new DtiClientException(StatusCode.Unavailable, "The server ended the stream before its last event.");
            if (watch is null || cursor.JobId is not { } jobId)
                throw lost;
            if (tries++ >= options.MaxReconnects)
            {
                logger.GaveUp(jobId, options.MaxReconnects);
                throw lost;
            }

            var delay = Retries.Delay(options.RetryDelay, tries);
            logger.Reconnecting(jobId, cursor.Step, tries, options.MaxReconnects, delay);
            await Task.Delay(delay, cancellationToken).ConfigureAwait(false);
            source = watch(jobId, cursor.Step);
        }
    }
}
