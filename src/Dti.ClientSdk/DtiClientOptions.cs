namespace Dti.ClientSdk;

/// <summary>How a <see cref="DtiClient"/> talks to its server.</summary>
public sealed record DtiClientOptions
{
    /// <summary>
    /// How many times in a row a client tries to pick up a training whose connection dropped, before it gives up.
    /// Every event that arrives starts the count again. 0: never. Default 8.
    /// </summary>
    public int MaxReconnects { get; init; } = 8;

    /// <summary>Wait before the first of these tries; each further one waits twice as long, at most 8 seconds. Default 250 ms.</summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest message taken from the server, in bytes. Default 256 MiB.</summary>
    public int MaxReceiveMessageSize { get; init; } = 256 * 1024 * 1024;
}
