using Dti.Engine;
using Dti.Server.Jobs.Storage;
using Orleans.Storage;

namespace Dti.Server.Jobs.Clustering;

/// <summary>
/// Grain state in the database of a cluster. A database that does not answer is reported like a full disk: a change
/// that a caller asked for is refused, and one that has happened already is written when the database answers again.
/// </summary>
internal sealed class DatabaseGrainStorage(IGrainStorage database) : IGrainStorage
{
    /// <summary>Categories of the log in which Orleans repeats what the grains say themselves.</summary>
    public static IEnumerable<string> LoggedAs =>
        [
            typeof(DatabaseGrainStorage).FullName!,
            "Orleans.Storage.AdoNetGrainStorage",
            "Orleans.Persistence.RedisGrainStorage",
        ];

    private static readonly TimeSpan _retryAfter = TimeSpan.FromSeconds(10);

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        TranslateAsync(() => database.ReadStateAsync(stateName, grainId, grainState));

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        TranslateAsync(() => database.WriteStateAsync(stateName, grainId, grainState));

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        TranslateAsync(() => database.ClearStateAsync(stateName, grainId, grainState));

    private static async Task TranslateAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (Exception error) when (error is not InconsistentStateException)
        {
            throw new StateUnwrittenException(
                new DtiException(ErrorKind.Unavailable, $"The cluster's database does not answer: {error.Message}")
                {
                    RetryAfter = _retryAfter,
                }
            );
        }
    }
}
