using System.Runtime.CompilerServices;
using Dti.ClientSdk.Internal;
using Grpc.Core;

namespace Dti.ClientSdk;

public sealed partial class DtiClient
{
    /// <summary>
    /// Generates images from a prompt. Stops when the sequence is left or cancelled. When the connection drops, the
    /// client waits for the server and gets the rest of the images, each once: from the same job, where a server that
    /// was restarted continues it, else by sending the request again with the seed and the model of the first event.
    /// </summary>
    /// <param name="options">The prompt, and what else to ask for.</param>
    /// <param name="deadline">UTC time at which to give up; null: never.</param>
    /// <param name="cancellationToken">Stops the work within one sampling step.</param>
    /// <returns><see cref="GenerationAccepted"/> first, one <see cref="GeneratedPicture"/> per image, <see
    /// cref="GenerationResult"/> last.</returns>
    /// <exception cref="DtiClientException">The server refused the request, or the connection stayed lost.</exception>
    public IAsyncEnumerable<GenerationUpdate> GenerateAsync(
        GenerationOptions options,
        DateTime? deadline = null,
        CancellationToken cancellationToken = default
    )
    {
        var message = new V1.GenerateRequest { Options = options.ToMessage() };
        return FollowGenerationAsync(Open, deadline, cancellationToken);

        IAsyncEnumerable<GenerationUpdate> Open(GenerationSettings? settings, CancellationToken token)
        {
            var request = message.Clone();
            Pin(request.Options, settings);
            return Streams.ReadAsync(
                call => _services.Dti.Generate(request, Streaming(deadline, call)),
                FromProto.Update,
                deadline,
                token
            );
        }
    }

    /// <summary>
    /// Generates images along the great circle between two concepts. Stops when the sequence is left or cancelled. A
    /// lost connection is handled as by <see cref="GenerateAsync"/>.
    /// </summary>
    /// <param name="request">Which concepts, how many images, and what else to ask for.</param>
    /// <param name="deadline">UTC time at which to give up; null: never.</param>
    /// <param name="cancellationToken">Stops the work within one sampling step.</param>
    /// <returns><see cref="InterpolationAccepted"/> first, one <see cref="GeneratedPicture"/> per frame, <see
    /// cref="GenerationResult"/> last.</returns>
    /// <exception cref="DtiClientException">The server refused the request, or the connection stayed lost.</exception>
    public IAsyncEnumerable<GenerationUpdate> InterpolateAsync(
        InterpolateRequest request,
        DateTime? deadline = null,
        CancellationToken cancellationToken = default
    )
    {
        var message = ToProto.Message(request);
        return FollowGenerationAsync(Open, deadline, cancellationToken);

        IAsyncEnumerable<GenerationUpdate> Open(GenerationSettings? settings, CancellationToken token)
        {
            var asked = message.Clone();
            Pin(asked.Options ??= new V1.GenerationOptions(), settings);
            return Streams.ReadAsync(
                call => _services.Dti.Interpolate(asked, Streaming(deadline, call)),
                FromProto.Update,
                deadline,
                token
            );
        }
    }

    /// <summary>
    /// The events of a generation job: those that have been, then those to come, also across lost connections. A job
    /// whose server was killed continues after the restart; one whose caller disconnected is cancelled.
    /// </summary>
    /// <param name="jobId">The job.</param>
    /// <param name="deadline">UTC time at which to give up watching; null: never.</param>
    /// <param name="cancellationToken">Ends the sequence; the job continues.</param>
    /// <returns><see cref="GenerationAccepted"/> or <see cref="InterpolationAccepted"/> first, <see
    /// cref="GenerationResult"/> last.</returns>
    /// <exception cref="DtiClientException">
    /// There is no such job, it trains, failed or was cancelled, or the connection stayed lost.
    /// </exception>
    public async IAsyncEnumerable<GenerationUpdate> WatchGenerationAsync(
        string jobId,
        DateTime? deadline = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var updates = JobStream.FollowAsync(
            () => OpenWatchGeneration(jobId, deadline, cancellationToken),
            (id, _) => OpenWatchGeneration(id, deadline, cancellationToken),
            FindServerOfAsync,
            new GenerationCursor(),
            deadline,
            _options,
            _logger,
            cancellationToken
        );
        await foreach (var update in updates.ConfigureAwait(false))
            yield return update;
    }

    private static void Pin(V1.GenerationOptions options, GenerationSettings? settings)
    {
        if (settings is null)
            return;
        options.Seed = settings.Seed;
        options.Model = settings.Model;
    }

    private async IAsyncEnumerable<GenerationUpdate> FollowGenerationAsync(
        Func<GenerationSettings?, CancellationToken, IAsyncEnumerable<GenerationUpdate>> open,
        DateTime? deadline,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var cursor = new GenerationCursor();
        var updates = JobStream.FollowAsync(
            () => open(null, cancellationToken),
            (id, _) => ContinueAsync(id, () => open(cursor.Settings, cancellationToken), deadline, cancellationToken),
            (id, lost, end, firstDelay, token) =>
                FindServerAsync(id, mayBeForgotten: true, lost, end, firstDelay, token),
            cursor,
            deadline,
            _options,
            _logger,
            cancellationToken
        );
        await foreach (var update in updates.ConfigureAwait(false))
            yield return update;
    }

    // A server that was restarted continues the job. One that only lost its caller has cancelled it: it gets the
    // request again.
    private async IAsyncEnumerable<GenerationUpdate> ContinueAsync(
        string jobId,
        Func<IAsyncEnumerable<GenerationUpdate>> sendAgain,
        DateTime? deadline,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var isCancelled = false;
        var isLeft = true;
        var watched = OpenWatchGeneration(jobId, deadline, cancellationToken).GetAsyncEnumerator(cancellationToken);
        try
        {
            while (true)
            {
                try
                {
                    if (!await watched.MoveNextAsync().ConfigureAwait(false))
                        break;
                }
                catch (DtiClientException exception)
                {
                    isLeft = false;
                    isCancelled = exception.Status is StatusCode.Cancelled or StatusCode.NotFound;
                    if (!isCancelled)
                        throw;
                    break;
                }

                yield return watched.Current;
            }

            isLeft = false;
        }
        finally
        {
            await watched.DisposeAsync().ConfigureAwait(false);
            if (isLeft)
                await StopAsync(jobId).ConfigureAwait(false); // nobody else waits for its images
        }

        if (!isCancelled)
            yield break;
        await foreach (var update in sendAgain().ConfigureAwait(false))
            yield return update;
    }

    private async Task StopAsync(string jobId)
    {
        using var attempt = new CancellationTokenSource(_cancelAttempt);
        try
        {
            await CancelJobAsync(jobId, attempt.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is DtiClientException or OperationCanceledException)
        {
            _logger.NotStopped(jobId, exception);
        }
    }

    private IAsyncEnumerable<GenerationUpdate> OpenWatchGeneration(
        string jobId,
        DateTime? deadline,
        CancellationToken cancellationToken
    ) =>
        Streams.ReadAsync(
            token => _services.Jobs.Watch(new V1.JobServiceWatchRequest { JobId = jobId }, Streaming(deadline, token)),
            FromProto.Update,
            deadline,
            cancellationToken
        );
}
