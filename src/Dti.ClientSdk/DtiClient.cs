using Dti.ClientSdk.Internal;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dti.ClientSdk;

/// <summary>
/// A client of a Dti server: learns concepts from photos, draws pictures with them, and draws what lies between two.
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
/// <see cref="OperationCanceledException"/> when its token is cancelled. Deadlines are optional: training takes as long as it takes.
/// </remarks>
public sealed partial class DtiClient : IDisposable, IAsyncDisposable
{
    private readonly DtiClientOptions _options;
    private readonly ILogger _logger;
    private readonly GrpcChannel? _ownedChannel;
    private readonly V1.DtiService.DtiServiceClient _dti;
    private readonly V1.JobService.JobServiceClient _jobs;
    private readonly V1.ConceptService.ConceptServiceClient _concepts;
    private readonly V1.ModelService.ModelServiceClient _models;
    private readonly V1.ServerService.ServerServiceClient _server;

    /// <summary>Creates a client; it connects with its first call.</summary>
    /// <param name="address">The server: <c>http://localhost:5171</c>, <c>https://host</c>, or <c>host:port</c>.</param>
    /// <param name="options">How to talk to it; null: the defaults.</param>
    /// <exception cref="UriFormatException">The address cannot be read.</exception>
    /// <exception cref="ArgumentException">An option is out of its range, or a token would travel in the clear.</exception>
    public DtiClient(string address, DtiClientOptions? options = null)
        : this(Channels.Parse(address), options)
    {
    }

    /// <summary>Creates a client; it connects with its first call.</summary>
    /// <param name="address">The server.</param>
    /// <param name="options">How to talk to it; null: the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or a token would travel in the clear.</exception>
    public DtiClient(Uri address, DtiClientOptions? options = null)
        : this(Channels.Open(address, options ?? new DtiClientOptions()), options) =>
        _ownedChannel = Channel;

    /// <summary>Creates a client over a channel of the caller's, who keeps it and disposes it.</summary>
    /// <param name="channel">The channel, with any credentials and handlers it needs.</param>
    /// <param name="options">How to talk to the server; certificates, retries and message limits are the channel's own. Null: the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public DtiClient(GrpcChannel channel, DtiClientOptions? options = null)
    {
        _options = options ?? new DtiClientOptions();
        _options.Validate();
        _logger = _options.LoggerFactory?.CreateLogger<DtiClient>() ?? NullLogger<DtiClient>.Instance;
        Channel = channel;
        _dti = new V1.DtiService.DtiServiceClient(channel);
        _jobs = new V1.JobService.JobServiceClient(channel);
        _concepts = new V1.ConceptService.ConceptServiceClient(channel);
        _models = new V1.ModelService.ModelServiceClient(channel);
        _server = new V1.ServerService.ServerServiceClient(channel);
    }

    private GrpcChannel Channel { get; }

    /// <summary>Closes the connection; calls that still run end with an error. Training jobs go on.</summary>
    public void Dispose() => _ownedChannel?.Dispose();

    /// <summary>Closes the connection, as <see cref="Dispose"/>.</summary>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }

    private CallOptions Streaming(DateTime? deadline, CancellationToken cancellationToken) => new(Headers(), deadline, cancellationToken);

    private CallOptions Unary(CancellationToken cancellationToken) =>
        new(Headers(), _options.Timeout is { } timeout ? DateTime.UtcNow + timeout : null, cancellationToken);

    private Metadata? Headers() => _options.Token is { } token ? new Metadata { { "authorization", "Bearer " + token } } : null;

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
