using System.Globalization;
using Dti.Cli.Output;
using Dti.ClientSdk;
using Grpc.Core;

namespace Dti.Cli.Work;

/// <summary>What is said and done about a job whose server is away.</summary>
internal static class LostServer
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _notifyAfter = TimeSpan.FromSeconds(2);

    /// <summary>One line about a wait.</summary>
    /// <param name="since">When the connection was lost.</param>
    /// <param name="until">When the client gives up.</param>
    /// <param name="comfort">What becomes of the job.</param>
    public static string Describe(DateTimeOffset since, DateTimeOffset until, string comfort) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"The server does not answer. Waiting for it since {since.ToLocalTime():HH:mm:ss}, until "
                + $"{until.ToLocalTime():HH:mm}; {comfort}."
        );

    /// <summary>
    /// Cancels a job; where the server is away, when it is back. A server that does not know the job has nothing to
    /// cancel.
    /// </summary>
    public static async Task CancelAsync(DtiClient client, IOutput output, string jobId)
    {
        try
        {
            var cancelling = client.CancelJobAsync(jobId, _patience, CancellationToken.None);
            var moment = Task.Delay(_notifyAfter, CancellationToken.None);
            if (await Task.WhenAny(cancelling, moment).ConfigureAwait(false) == moment)
            {
                output.Line(
                    "The server does not answer; the job is cancelled when it is back. Ctrl+C again leaves it alone."
                );
            }

            await cancelling.ConfigureAwait(false);
        }
        catch (Exception exception) when (IsUncertain(exception))
        {
            Warn(output, exception);
        }
        catch (DtiClientException)
        {
            // The server does not know the job.
        }
    }

    /// <summary>Whether the job may still run after a failed cancel.</summary>
    public static bool IsUncertain(Exception exception) =>
        exception is DtiClientException { Status: not StatusCode.NotFound } or OperationCanceledException;

    /// <summary>Warns that the job may still run.</summary>
    public static void Warn(IOutput output, Exception exception) =>
        output.Warning("CANCEL_FAILED", $"The server did not answer when asked to cancel the job: {exception.Message}");
}
