using Dti.Server.Jobs.Grains;
using Dti.Server.Libraries;
using Dti.Server.ObjectStorage;

namespace Dti.Server.Jobs;

/// <summary>The changes of a cluster's libraries, numbered by one grain for each library.</summary>
/// <param name="silo">Has the grains; it is made later.</param>
internal sealed class ChangeLog(Func<JobSilo> silo) : IChangeLog
{
    /// <inheritdoc/>
    public async Task<bool> AppendAsync(string name, long known, byte[] change)
    {
        try
        {
            var grain = (await silo().GrainsAsync()).GetGrain<IChangeLogGrain>(name);
            return await grain.AppendAsync(known, change);
        }
        catch (Exception error) when (error is OrleansException or TimeoutException or ObjectDisposedException)
        {
            // a host that left, the database, the storage or the end of this host: what to do is the same
            throw StorageErrors.NoAnswer("of concepts", error.Message);
        }
    }
}
