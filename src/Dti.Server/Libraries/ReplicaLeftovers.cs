using Dti.Engine.Runtime.Files;
using Dti.Server.ObjectStorage;

namespace Dti.Server.Libraries;

/// <summary>
/// Deletes what no host needs any more from the storage of a <see cref="FolderReplica"/>: contents that no file has, such
/// as uploads of a change that was never appended, and changes that no host has to apply. Hosts may do it at the same
/// time.
/// </summary>
internal sealed class ReplicaLeftovers(FolderReplica replica, FolderJournal journal, IObjectStore store)
{
    // A host that has not looked for half an hour looks for a checkpoint first; clocks differ by less than the rest.
    private static readonly TimeSpan _changeAge = 2 * Leftovers.MinAge;

    /// <summary>Deletes it.</summary>
    /// <exception cref="Engine.DtiException">The storage or the database does not answer.</exception>
    public void Delete(DateTimeOffset now)
    {
        DeleteUnreferenced(replica.FilesPrefix, now, () => replica.Keys, key => key);
        if (store.ListAsync(replica.CheckpointsPrefix).WaitForResult() is not { Count: >= 2 } checkpoints)
        {
            return;
        }

        DeleteAll(checkpoints.SkipLast(2).Where(found => Leftovers.IsOld(found.Modified, now)));
        var newest = IChangeLog.NumberOf(checkpoints[^2].Key);
        DeleteAll(
            store
                .ListAsync(replica.ChangesPrefix)
                .WaitForResult()
                .Where(change => IChangeLog.NumberOf(change.Key) <= newest && now - change.Modified > _changeAge)
        );
    }

    /// <summary>Deletes old objects that nothing in the folder refers to.</summary>
    /// <param name="prefix">What their keys begin with.</param>
    /// <param name="now">The time.</param>
    /// <param name="referenced">What the files of the folder refer to now.</param>
    /// <param name="of">What has to be among it for an object to be needed.</param>
    /// <exception cref="Engine.DtiException">The storage or the database does not answer.</exception>
    public void DeleteUnreferenced(
        string prefix,
        DateTimeOffset now,
        Func<IReadOnlySet<string>> referenced,
        Func<string, string> of
    )
    {
        StoredObject[] old =
        [
            .. store.ListAsync(prefix).WaitForResult().Where(found => Leftovers.IsOld(found.Modified, now)),
        ];
        using (journal.Enter())
        {
            if (Unreferenced().Length == 0)
            {
                return;
            }
        }

        // An empty change: it can be appended only if this copy is the newest, and after it no host can append a change
        // for which it has uploaded before.
        DeleteAll(
            journal.Change(change =>
            {
                change.Commit();
                return Unreferenced();
            })
        );

        StoredObject[] Unreferenced()
        {
            var known = referenced();
            return Array.FindAll(old, found => !known.Contains(of(found.Key)));
        }
    }

    private void DeleteAll(IEnumerable<StoredObject> objects)
    {
        foreach (var found in objects)
        {
            store.DeleteAsync(found.Key).WaitFor();
        }
    }
}
