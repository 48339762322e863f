using Dti.ClientSdk.Internal;
using Grpc.Core;
using Grpc.Net.Client;

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
    private readonly GrpcChannel? _ownedChannel;
    private readonly V1.DtiService.DtiServiceClient _dti;
    private readonly V1.JobService.JobServiceClient _jobs;
    private readonly V1.ConceptService.ConceptServiceClient _concepts;
    private readonly V1.ModelService.ModelServiceClient _models;

    /// <summary>Creates a client; it connects with its first call.</summary>
    /// <param name="address">The server: <c>http://localhost:5171</c>, <c>https://host</c>, or <c>host:port</c>.</param>
    /// <param name="options">How to talk to it; null: the defaults.</param>
    /// <exception cref="UriFormatException">The address cannot be read.</exception>
    public DtiClient(string address, DtiClientOptions? options = null)
        : this(Channels.Parse(address), options)
    {
    }

    /// <summary>Creates a client; it connects with its first call.</summary>
    /// <param name="address">The server.</param>
    /// <param name="options">How to talk to it; null: the defaults.</param>
    public DtiClient(Uri address, DtiClientOptions? options = null)
        : this(Channels.Open(address, options ?? new DtiClientOptions()), options) =>
        _ownedChannel = Channel;

    /// <summary>Creates a client over a channel of the caller's, who keeps it and disposes it.</summary>
    /// <param name="channel">The channel, with any credentials and handlers it needs.</param>
    /// <param name="options">How to talk to the server; message limits are the channel's own. Null: the defaults.</param>
    public DtiClient(GrpcChannel channel, DtiClientOptions? options = null)
    {
        _options = options ?? new DtiClientOptions();
        Channel = channel;
        _dti = new V1.DtiService.DtiServiceClient(channel);
        _jobs = new V1.JobService.JobServiceClient(channel);
        _concepts = new V1.ConceptService.ConceptServiceClient(channel);
        _models = new V1.ModelService.ModelServiceClient(channel);
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

    private static CallOptions Call(DateTime? deadline, CancellationToken cancellationToken) =>
        new(deadline: deadline, cancellationToken: cancellationToken);

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
