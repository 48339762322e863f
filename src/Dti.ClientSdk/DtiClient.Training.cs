using System.Runtime.CompilerServices;
using Dti.ClientSdk.Internal;
using Dti.ClientSdk.Internal.Photos;
using Grpc.Core;

namespace Dti.ClientSdk;

public sealed partial class DtiClient
{
    /// <summary>
    /// Learns a concept from photos. The job belongs to the server: ending this sequence early does not stop it
    /// (<see cref="CancelJobAsync(string, CancellationToken)"/> does), and when the connection drops, the client picks
    /// the job up again, with every event once and in order. Photos that do not fit into one request together are
    /// reduced before they are sent (warning <c>PHOTOS_REDUCED</c>).
    /// </summary>
    /// <param name="request">What to learn from which photos. Each enumeration is a job of its own unless <see
    /// cref="TrainRequest.RequestId"/> is set.</param>
    /// <param name="deadline">UTC time at which to give up watching; null: never.</param>
    /// <param name="cancellationToken">Ends the sequence; the job continues, unless <see
    /// cref="TrainRequest.CancelOnDisconnect"/> is set.</param>
    /// <returns><see cref="TrainingAccepted"/> first, <see cref="TrainingResult"/> last.</returns>
    /// <exception cref="DtiClientException">
    /// A photo is too large and cannot be reduced, the server refused the request, the job failed or was cancelled, or
    /// the connection stayed lost.
    /// </exception>
    public async IAsyncEnumerable<TrainingUpdate> TrainAsync(
        TrainRequest request,
        DateTime? deadline = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var sizes = new PhotoSizes([.. request.Photos.Select(PhotoSizes.Bytes)], request.Options.Resolution);
        var photos = await Task.Run(() => request.Photos.Select(sizes.Fit).ToList(), cancellationToken)
            .ConfigureAwait(false);
        var message = ToProto.Message(
            request with
            {
                Photos = photos,
            },
            request.RequestId ?? Guid.NewGuid().ToString("N")
        );
        var updates = JobStream.FollowAsync(
            () =>
                Streams.ReadAsync(
                    token => _services.Dti.Train(message, Streaming(deadline, token)),
                    FromProto.Update,
                    deadline,
                    cancellationToken
                ),
            request.CancelOnDisconnect
                ? null
                : (jobId, fromStep) => OpenWatch(jobId, fromStep, deadline, cancellationToken),
            FindServerOfAsync,
            new TrainingCursor(),
            deadline,
            _options,
            _logger,
            cancellationToken
        );
        await foreach (var update in updates.ConfigureAwait(false))
        {
            yield return update;
            if (update is TrainingAccepted && sizes.Report is { } reduced)
                yield return new TrainingWarning(PhotoSizes.Reduced, reduced);
        }
    }

    /// <summary>
    /// The events of a training job: those that have been, then those to come, each once and in order, also across
    /// lost connections.
    /// </summary>
    /// <param name="jobId">The job.</param>
    /// <param name="fromStep">Progress and previews before this step are left out; 0: everything.</param>
    /// <param name="deadline">UTC time at which to give up watching; null: never.</param>
    /// <param name="cancellationToken">Ends the sequence; the job continues.</param>
    /// <returns><see cref="TrainingAccepted"/> first, <see cref="TrainingResult"/> last.</returns>
    /// <exception cref="DtiClientException">There is no such job, it failed or was cancelled, or the connection stayed
    /// lost.</exception>
    public async IAsyncEnumerable<TrainingUpdate> WatchAsync(
        string jobId,
        int fromStep = 0,
        DateTime? deadline = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var updates = JobStream.FollowAsync(
            () => OpenWatch(jobId, fromStep, deadline, cancellationToken),
            (id, step) => OpenWatch(id, step, deadline, cancellationToken),
            FindServerOfAsync,
            new TrainingCursor(fromStep),
            deadline,
            _options,
            _logger,
            cancellationToken
        );
        await foreach (var update in updates.ConfigureAwait(false))
            yield return update;
    }

    private IAsyncEnumerable<TrainingUpdate> OpenWatch(
        string jobId,
        int fromStep,
        DateTime? deadline,
        CancellationToken cancellationToken
    ) =>
        Streams.ReadAsync(
            token =>
                _services.Jobs.Watch(
                    new V1.JobServiceWatchRequest { JobId = jobId, FromStep = fromStep },
                    Streaming(deadline, token)
                ),
            response => response.Event is { } happened ? FromProto.Update(happened) : throw NoTraining(jobId),
            deadline,
            cancellationToken
        );

    private static DtiClientException NoTraining(string jobId) =>
        new(StatusCode.FailedPrecondition, $"Job {jobId} is no training: {nameof(WatchGenerationAsync)} follows it.");
}
