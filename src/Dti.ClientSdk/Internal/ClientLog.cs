using Microsoft.Extensions.Logging;

namespace Dti.ClientSdk.Internal;

/// <summary>Every message that the client logs. Ids are stable.</summary>
internal static partial class ClientLog
{
    [LoggerMessage(
        1,
        LogLevel.Warning,
        "The connection to job {JobId} was lost at step {Step}; waiting for the server for at most {Limit}"
    )]
    public static partial void Reconnecting(this ILogger logger, string jobId, int step, TimeSpan limit);

    [LoggerMessage(
        2,
        LogLevel.Warning,
        "The connection to job {JobId} stayed lost for {Limit}; the job goes on without this watcher"
    )]
    public static partial void ReconnectAbandoned(this ILogger logger, string jobId, TimeSpan limit);

    [LoggerMessage(
        3,
        LogLevel.Warning,
        "Job {JobId} could not be cancelled when its caller left it; it continues on the server"
    )]
    public static partial void NotStopped(this ILogger logger, string jobId, Exception exception);
}
