using Dti.Engine;
using Dti.Engine.Models;
using Dti.Server.ObjectStorage;

namespace Dti.Server.Libraries;

/// <summary>
/// The metadata of the workers' models (<see cref="ModelMetadata"/>) where all hosts of the cluster read it, by the
/// models' fingerprints.
/// </summary>
/// <param name="store">The storage of the cluster, or the folder that its hosts share.</param>
internal sealed class SharedModelMetadata(IObjectStore store)
{
    private readonly HashSet<string> _stored = new(StringComparer.Ordinal); // by this host, or found there

    /// <summary>Whether the metadata of a model is known to be there.</summary>
    public bool IsStored(string fingerprint) => _stored.Contains(fingerprint);

    /// <summary>Stores the metadata of a model that this host has, unless it is there.</summary>
    /// <exception cref="DtiException">The storage does not answer, or the model is not valid.</exception>
    public async Task StoreAsync(string fingerprint, ModelProfile profile, CancellationToken cancellationToken)
    {
        if ((await store.ListAsync(KeyOf(fingerprint), cancellationToken)).Count == 0)
        {
            await store.PutAsync(KeyOf(fingerprint), ModelMetadata.Pack(profile), cancellationToken);
        }

        _stored.Add(fingerprint);
    }

    /// <summary>Writes the metadata of a model into a folder.</summary>
    /// <param name="fingerprint">The model.</param>
    /// <param name="folder">Is made.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The model folder, or the single file; null: it is not stored yet.</returns>
    /// <exception cref="DtiException">The storage does not answer.</exception>
    public async Task<string?> FetchAsync(string fingerprint, string folder, CancellationToken cancellationToken) =>
        await store.GetAsync(KeyOf(fingerprint), cancellationToken) is { } packed
            ? ModelMetadata.Unpack(packed, Directory.CreateDirectory(folder).FullName)
            : null;

    private static string KeyOf(string fingerprint) => $"models/{fingerprint}.zip";
}
