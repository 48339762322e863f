using System.Diagnostics;

namespace Dti.Bench.Clusters;

/// <summary>Repeats what fails while hosts or the database are away.</summary>
internal static class Patiently
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(3);

    /// <summary>Does it until it succeeds; gives up after three minutes.</summary>
    public static async Task<T> DoAsync<T>(Func<Task<T>> work)
    {
        for (var start = Stopwatch.GetTimestamp(); ; )
        {
            try
            {
                return await work().ConfigureAwait(false);
            }
            catch (Exception) when (Stopwatch.GetElapsedTime(start) < _patience)
            {
                await Task.Delay(250).ConfigureAwait(false);
            }
        }
    }
}
