using Dti.ClientSdk.Internal;
using Grpc.Core;

namespace Dti.ClientSdk;

public sealed partial class DtiClient
{
    private static readonly TimeSpan _cancelAttempt = TimeSpan.FromSeconds(3);

    /// <summary>Jobs, newest first.</summary>
    /// <param name="states">Only jobs in one of these states; null or empty: all.</param>
    /// <param name="limit">How many at most, 1 to 1000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException">The server cannot be reached.</exception>
    public async Task<IReadOnlyList<Job>> ListJobsAsync(
        IEnumerable<JobState>? states = null,
        int limit = 100,
        CancellationToken cancellationToken = default
    )
    {
        var request = new V1.JobServiceListRequest
        {
            PageSize = limit,
            States = { (states ?? []).Select(state => (V1.JobState)state) },
        };
        var response = await UnaryAsync(_services.Jobs.ListAsync(request, Unary(cancellationToken)), cancellationToken)
            .ConfigureAwait(false);
        return [.. response.Jobs.Select(FromProto.Job)];
    }

    /// <summary>One job.</summary>
    /// <param name="jobId">Its id.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException"><c>NotFound</c>: there is none of that id.</exception>
    public async Task<Job> GetJobAsync(string jobId, CancellationToken cancellationToken = default)
    {
        var call = _services.Jobs.GetAsync(new V1.JobServiceGetRequest { JobId = jobId }, Unary(cancellationToken));
        return FromProto.Job((await UnaryAsync(call, cancellationToken).ConfigureAwait(false)).Job);
    }

    /// <summary>Stops a job within one step. Cancelling a finished job changes nothing and is no error.</summary>
    /// <param name="jobId">Its id.</param>
    /// <param name="cancellationToken">Gives up asking.</param>
    /// <returns>The job as it is now.</returns>
    /// <exception cref="DtiClientException"><c>NotFound</c>: there is none of that id.</exception>
    public async Task<Job> CancelJobAsync(string jobId, CancellationToken cancellationToken = default)
    {
        var call = _services.Jobs.CancelAsync(
            new V1.JobServiceCancelRequest { JobId = jobId },
            Unary(cancellationToken)
        );
        return FromProto.Job((await UnaryAsync(call, cancellationToken).ConfigureAwait(false)).Job);
    }

    /// <summary>
    /// Stops a job as <see cref="CancelJobAsync(string, CancellationToken)"/> does; where the server is away, when it
    /// is back.
    /// </summary>
    /// <param name="jobId">Its id.</param>
    /// <param name="patience">How long to wait for the server.</param>
    /// <param name="cancellationToken">Gives up asking.</param>
    /// <returns>The job as it is now.</returns>
    /// <exception cref="DtiClientException"><c>NotFound</c>: there is none of that id. <c>Unavailable</c>: the server
    /// stayed away.</exception>
    public async Task<Job> CancelJobAsync(
        string jobId,
        TimeSpan patience,
        CancellationToken cancellationToken = default
    )
    {
        for (var end = DateTime.UtcNow + patience; ; )
        {
            using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            attempt.CancelAfter(_cancelAttempt); // over a connection that may be dead without saying so
            DtiClientException lost;
            try
            {
                return await CancelJobAsync(jobId, attempt.Token).ConfigureAwait(false);
            }
            catch (DtiClientException exception) when (exception.Status == StatusCode.Unavailable)
            {
                lost = exception;
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                lost = new DtiClientException(StatusCode.Unavailable, "The server did not answer.", exception);
            }

            await FindServerOfAsync(jobId, lost, end, _options.RetryDelay, cancellationToken).ConfigureAwait(false);
        }
    }
}
