using Dti.Engine;
using Dti.Engine.Runtime.Files;
using Dti.Server.ObjectStorage;

namespace Dti.Server.Libraries;

/// <summary>
/// The snapshots of runs in the storage of a cluster: an object for each file of <see cref="RunSnapshots"/>,
/// <c>snapshots/NAME/FILE</c>. No two attempts write the same one.
/// </summary>
internal sealed class SharedSnapshots(IObjectStore store)
{
    /// <summary>What the keys of all snapshots begin with.</summary>
    public const string Prefix = "snapshots/";

    private const string Pattern = "*.safetensors";

    /// <summary>Makes the snapshots in a folder those of the storage.</summary>
    /// <exception cref="DtiException">The storage does not answer.</exception>
    public void Fetch(string name, string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        var known = store
            .ListAsync(PrefixOf(name))
            .WaitForResult()
            .Select(found => found.Key[PrefixOf(name).Length..])
            .ToHashSet(StringComparer.Ordinal);
        foreach (var here in Directory.EnumerateFiles(folder, Pattern))
        {
            if (!known.Remove(Path.GetFileName(here)))
            {
                File.Delete(here); // another host has deleted it, or it could not be stored
            }
        }

        foreach (var file in known)
        {
            if (store.GetAsync(PrefixOf(name) + file).WaitForResult() is { } content)
            {
                AtomicFile.WriteAllBytes(Path.Combine(folder, file), content);
            }
        }
    }

    /// <summary>Stores a snapshot.</summary>
    /// <exception cref="DtiException">The storage does not answer.</exception>
    public void Save(string name, string file, byte[] content) =>
        store.PutAsync(PrefixOf(name) + file, content).WaitFor();

    /// <summary>Deletes a snapshot.</summary>
    /// <exception cref="DtiException">The storage does not answer.</exception>
    public void Delete(string name, string file) => store.DeleteAsync(PrefixOf(name) + file).WaitFor();

    /// <summary>Deletes all snapshots of a run that is gone. One that remains does not count for a later run.</summary>
    public void DeleteAll(string name)
    {
        try
        {
            store.DeleteAllAsync(PrefixOf(name)).WaitFor();
        }
        catch (DtiException)
        {
            // The storage does not answer. The next run of that name deletes them.
        }
    }

    /// <summary>Bytes of a run's snapshots.</summary>
    public long BytesOf(string name) => store.ListAsync(PrefixOf(name)).WaitForResult().Sum(found => found.Length);

    /// <summary>The run whose snapshot an object is.</summary>
    public static string RunOf(string key) => key[Prefix.Length..].Split('/')[0];

    private static string PrefixOf(string name) => $"{Prefix}{name}/";
}
