using Dti.ClientSdk.Internal;

namespace Dti.ClientSdk;

public sealed partial class DtiClient
{
    /// <summary>Draws pictures from a prompt. Stops when the sequence is left or cancelled.</summary>
    /// <param name="options">The prompt, and what else to ask for.</param>
    /// <param name="deadline">UTC time at which to give up; null: never.</param>
    /// <param name="cancellationToken">Stops the work within one sampling step.</param>
    /// <returns><see cref="GenerationAccepted"/> first, one <see cref="GeneratedPicture"/> per picture, <see cref="GenerationResult"/> last.</returns>
    /// <exception cref="DtiClientException">The server refused the request, or the connection was lost.</exception>
    public IAsyncEnumerable<GenerationUpdate> GenerateAsync(
        GenerationOptions options, DateTime? deadline = null, CancellationToken cancellationToken = default)
    {
        var message = new V1.GenerateRequest { Options = ToProto.Message(options) };
        return Streams.ReadAsync(token => _services.Dti.Generate(message, Streaming(deadline, token)), FromProto.Update, deadline, cancellationToken);
    }

    /// <summary>Draws pictures along the great circle between two concepts. Stops when the sequence is left or cancelled.</summary>
    /// <param name="request">Which concepts, how many pictures, and what else to ask for.</param>
    /// <param name="deadline">UTC time at which to give up; null: never.</param>
    /// <param name="cancellationToken">Stops the work within one sampling step.</param>
    /// <returns><see cref="InterpolationAccepted"/> first, one <see cref="GeneratedPicture"/> per frame, <see cref="GenerationResult"/> last.</returns>
    /// <exception cref="DtiClientException">The server refused the request, or the connection was lost.</exception>
    public IAsyncEnumerable<GenerationUpdate> InterpolateAsync(
        InterpolateRequest request, DateTime? deadline = null, CancellationToken cancellationToken = default)
    {
        var message = ToProto.Message(request);
        return Streams.ReadAsync(token => _services.Dti.Interpolate(message, Streaming(deadline, token)), FromProto.Update, deadline, cancellationToken);
    }

    /// <summary>
    /// The events of a job that draws: those that have been, then those to come. A job whose server was killed goes on when the server is there
    /// again; one whose caller went away is cancelled.
    /// </summary>
    /// <param name="jobId">The job.</param>
    /// <param name="deadline">UTC time at which to give up watching; null: never.</param>
    /// <param name="cancellationToken">Ends the sequence; the job goes on.</param>
    /// <returns><see cref="GenerationAccepted"/> or <see cref="InterpolationAccepted"/> first, <see cref="GenerationResult"/> last.</returns>
    /// <exception cref="DtiClientException">There is no such job, it trains, failed or was cancelled, or the connection was lost.</exception>
    public IAsyncEnumerable<GenerationUpdate> WatchGenerationAsync(
        string jobId, DateTime? deadline = null, CancellationToken cancellationToken = default) =>
        Streams.ReadAsync(
            token => _services.Jobs.Watch(new V1.JobServiceWatchRequest { JobId = jobId }, Streaming(deadline, token)), FromProto.Update, deadline, cancellationToken);
}
