using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Dti.ClientSdk;

/// <summary>How a <see cref="DtiClient"/> talks to its server.</summary>
public sealed record DtiClientOptions
{
    /// <summary>
    /// Sent with each call as <c>authorization: Bearer …</c>; only over https, or to this machine. Null: none.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>
    /// With https, trust the server that shows this certificate, or one signed by it, and no other. Null: those the
    /// system trusts.
    /// </summary>
    public X509Certificate2? TrustedCertificate { get; init; }

    /// <summary>
    /// With https, the certificate by which this client proves who it is, with its private key. Null: none.
    /// </summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>
    /// How long a call that answers once may take, its retries included. Streams take a deadline of their own. Null: as
    /// long as it takes.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// How long a connection may be idle before the client asks whether the server is still there, and how long it
    /// then waits for the answer; 1 second or more. Not on .NET Standard 2.1. Default 30 seconds.
    /// </summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How often a call that could not reach the server is made again, 0 to 4, if that is safe: calls that read,
    /// cancelling, and <see cref="DtiClient.TrainAsync"/>, whose request id makes it so. Default 3.
    /// </summary>
    public int MaxRetries { get; init; } = 3;

    /// <summary>
    /// How long a client waits for a server that became unreachable during a training or a generation, to continue
    /// with it. Every event that arrives starts the time again. Zero: a lost connection is an error. Default 10
    /// minutes.
    /// </summary>
    public TimeSpan ReconnectTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// 0: a lost connection is an error, as a <see cref="ReconnectTimeout"/> of zero. Any other number changes nothing.
    /// </summary>
    [Obsolete("Waiting is limited by time: set ReconnectTimeout.")]
    public int MaxReconnects { get; init; } = 12;

    /// <summary>Wait between the first try of either kind and the second; each further one waits twice as long, at most
    /// 8 seconds for calls and 1 for a job that is picked up. Default 250 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest message taken from the server, in bytes. Default 256 MiB.</summary>
    public int MaxReceiveMessageSize { get; init; } = 256 * 1024 * 1024;

    /// <summary>Where the client, and the gRPC library under it, log. Null: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>
    /// Where to connect to, whatever the address says, whose name the server's certificate must have all the same. Not
    /// on .NET Standard 2.1. Null: the address.
    /// </summary>
    internal IPEndPoint? ConnectTo { get; init; }

    /// <summary>Whether a job is picked up at all when its connection is lost.</summary>
#pragma warning disable CS0618 // kept for callers that set it
    internal bool PicksUp => ReconnectTimeout > TimeSpan.Zero && MaxReconnects > 0;
#pragma warning restore CS0618

    // Options end up in logs; the token must not.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(Token is null ? "no token" : "a token");
        return true;
    }

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Validate()
    {
        Check(MaxRetries is >= 0 and <= 4, nameof(MaxRetries), "0 to 4");
#pragma warning disable CS0618 // kept for callers that set it
        Check(MaxReconnects >= 0, nameof(MaxReconnects), "0 or more");
#pragma warning restore CS0618
        Check(ReconnectTimeout >= TimeSpan.Zero, nameof(ReconnectTimeout), "zero or more");
        Check(RetryDelay > TimeSpan.Zero, nameof(RetryDelay), "more than zero");
        Check(KeepAlive >= TimeSpan.FromSeconds(1), nameof(KeepAlive), "1 second or more");
        Check(Timeout is null || Timeout > TimeSpan.Zero, nameof(Timeout), "more than zero");
        Check(MaxReceiveMessageSize > 0, nameof(MaxReceiveMessageSize), "more than zero");

        static void Check(bool holds, string name, string range)
        {
            if (!holds)
                throw new ArgumentOutOfRangeException(name, $"{name} must be {range}.");
        }
    }
}
