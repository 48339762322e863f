using Dti.ClientSdk.Internal;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dti.ClientSdk;

/// <summary>
/// A client of a Dti server: learns concepts from photos, generates images with them, and interpolates between two.
/// Thread-safe; one client serves any number of calls at once.
/// </summary>
/// <example>
/// <code>
/// await using var client = new DtiClient("http://localhost:5171");
/// await foreach (var update in client.TrainAsync(new TrainRequest { Name = "my-cat", Photos = photos }))
///     if (update is TrainingProgress step)
///         Console.WriteLine($"{step.Step}/{step.TotalSteps} loss {step.LossAverage:F4}");
/// </code>
/// </example>
/// <remarks>
/// Every call throws <see cref="DtiClientException"/> when the server refuses it or cannot be reached, and
/// <see cref="OperationCanceledException"/> when its token is cancelled. Deadlines are optional: training takes as long
/// as it takes.
/// </remarks>
public sealed partial class DtiClient : IDisposable, IAsyncDisposable
{
    private static readonly TimeSpan _answerPatience = TimeSpan.FromSeconds(10);

    private readonly DtiClientOptions _options;
    private readonly ILogger _logger;
    private readonly Uri? _address;
    private readonly List<GrpcChannel> _ownedChannels = [];
    private volatile Services _services;

    /// <summary>Creates a client; it connects with its first call.</summary>
    /// <param name="address">The server: <c>http://localhost:5171</c>, <c>https://host</c>, or
    /// <c>host:port</c>.</param>
    /// <param name="options">How to talk to it; null: the defaults.</param>
    /// <exception cref="UriFormatException">The address cannot be read.</exception>
    /// <exception cref="ArgumentException">An option is out of its range, or a token would travel in the
    /// clear.</exception>
    public DtiClient(string address, DtiClientOptions? options = null)
        : this(Channels.Parse(address), options) { }

    /// <summary>Creates a client; it connects with its first call.</summary>
    /// <param name="address">The server.</param>
    /// <param name="options">How to talk to it; null: the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or a token would travel in the
    /// clear.</exception>
    public DtiClient(Uri address, DtiClientOptions? options = null)
        : this(Channels.Open(address, options ?? new DtiClientOptions()), options)
    {
        _address = address;
        _ownedChannels.Add(_services.Channel);
    }

    /// <summary>Creates a client over a channel of the caller's, who keeps it and disposes it.</summary>
    /// <param name="channel">The channel, with any credentials and handlers it needs.</param>
    /// <param name="options">How to talk to the server; certificates, retries and message limits are the channel's own.
    /// Null: the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public DtiClient(GrpcChannel channel, DtiClientOptions? options = null)
    {
        _options = options ?? new DtiClientOptions();
        _options.Validate();
        _logger = _options.LoggerFactory?.CreateLogger<DtiClient>() ?? NullLogger<DtiClient>.Instance;
        _services = new Services(channel);
    }

    /// <summary>Closes the connection; calls that still run end with an error. Training jobs go on.</summary>
    public void Dispose()
    {
        lock (_ownedChannels)
        {
            foreach (var channel in _ownedChannels)
                channel.Dispose();
        }
    }

    /// <summary>Closes the connection, as <see cref="Dispose"/>.</summary>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }

    private Task FindServerOfAsync(
        string jobId,
        DtiClientException lost,
        DateTime end,
        TimeSpan firstDelay,
        CancellationToken cancellationToken
    ) => FindServerAsync(jobId, mayBeForgotten: false, lost, end, firstDelay, cancellationToken);

    /// <summary>
    /// Waits for a server that became unreachable, until it answers for the job, or says that it does not know it,
    /// where it may have forgotten it.
    /// </summary>
    private async Task FindServerAsync(
        string jobId,
        bool mayBeForgotten,
        DtiClientException lost,
        DateTime end,
        TimeSpan firstDelay,
        CancellationToken cancellationToken
    )
    {
        var found = await ServerSearch
            .FindAsync(AskAsync, Discard, firstDelay, lost, end, cancellationToken)
            .ConfigureAwait(false);
        if (found == _services)
            return;
        lock (_ownedChannels)
            _ownedChannels.Add(found.Channel); // calls that still run keep the former one until the client is disposed
        _services = found;

        async Task<Services> AskAsync(CancellationToken token)
        {
            // A connection of its own: one that is dead without saying so would swallow each try. A channel of the
            // caller's must do as it is.
            var services = _address is null
                ? _services
                : new Services(Channels.Open(_address, _options with { MaxRetries = 0 }));
            try
            {
                var call = services.Jobs.GetAsync(
                    new V1.JobServiceGetRequest { JobId = jobId },
                    new CallOptions(Headers(), DateTime.UtcNow + _answerPatience, token)
                );
                await UnaryAsync(call, token).ConfigureAwait(false);
                return services;
            }
            catch (DtiClientException exception) when (mayBeForgotten && exception.Status == StatusCode.NotFound)
            {
                return services;
            }
            catch
            {
                Discard(services);
                throw;
            }
        }

        void Discard(Services services)
        {
            if (_address is not null)
                services.Channel.Dispose();
        }
    }

    private CallOptions Streaming(DateTime? deadline, CancellationToken cancellationToken) =>
        new(Headers(), deadline, cancellationToken);

    private CallOptions Unary(CancellationToken cancellationToken) =>
        new(Headers(), _options.Timeout is { } timeout ? DateTime.UtcNow + timeout : null, cancellationToken);

    private Metadata? Headers() =>
        _options.Token is { } token ? new Metadata { { "authorization", "Bearer " + token } } : null;

    private static async Task<T> UnaryAsync<T>(AsyncUnaryCall<T> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException exception)
        {
            throw Errors.Translate(exception, cancellationToken);
        }
    }
}
