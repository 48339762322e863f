using Dti.Engine;
using Dti.Server.Jobs.Storage;
using Dti.Server.Libraries;
using Dti.Server.ObjectStorage;

namespace Dti.Server.Jobs.Grains;

/// <summary>
/// Gives each change a number, then writes it to the storage. The number is written to the database first, which
/// refuses a second activation of this grain, so that no two changes get the same one. If the grain fails in between,
/// its next activation writes the change to the storage.
/// </summary>
internal sealed class ChangeLogGrain(
    [PersistentState("changes", JobSilo.Storage)] IPersistentState<ChangeLogState> stored,
    IObjectStore store
) : Grain, IChangeLogGrain
{
    private bool _isWritten; // the newest change is in the storage

    private string Name => this.GetPrimaryKeyString();

    public async Task<bool> AppendAsync(long known, byte[] change)
    {
        try
        {
            return await TryAppendAsync(known, change);
        }
        catch (DtiException error)
        {
            throw new StateUnwrittenException(error); // which can be sent between hosts
        }
    }

    private async Task<bool> TryAppendAsync(long known, byte[] change)
    {
        if (!_isWritten)
        {
            await FindNewestAsync();
            await WriteAsync();
        }

        if (stored.State.Number != known)
        {
            return stored.State.Number == known + 1 && stored.State.Change.AsSpan().SequenceEqual(change);
        }

        var before = stored.State;
        stored.State = new ChangeLogState { Number = known + 1, Change = change };
        _isWritten = false;
        try
        {
            await stored.WriteStateAsync();
        }
        catch
        {
            stored.State = before;
            DeactivateOnIdle(); // whether it was written is not known; the next activation reads it
            throw;
        }

        await WriteAsync();
        return true;
    }

    private async Task WriteAsync()
    {
        var (key, change) = (IChangeLog.KeyOf(Name, stored.State.Number), stored.State.Change);
        if (change.Length > 0)
        {
            await Task.Run(() => store.PutAsync(key, change)); // not on the grain's thread
        }

        _isWritten = true;
    }

    /// <summary>
    /// The storage has more changes than a database that is new, or was restored from a backup. Those that follow the
    /// newest one of the database may have been deleted.
    /// </summary>
    private async Task FindNewestAsync()
    {
        var prefix = $"{Name}/changes/";
        if (
            await Task.Run(() => store.ListAsync(prefix)) is [.., var newest]
            && IChangeLog.NumberOf(newest.Key) is var number
            && number > stored.State.Number
        )
        {
            var change = await Task.Run(() => store.GetAsync(newest.Key));
            stored.State = new ChangeLogState { Number = number, Change = change ?? [] };
        }
    }
}
