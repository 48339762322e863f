namespace Dti.Server.ObjectStorage;

/// <summary>
/// Storage that all hosts of a cluster reach: objects of bytes by key, such as <c>jobs/ID/request.binpb</c>. Writes
/// are atomic, and reads and lists are consistent with them. There are no locks, renames or conditional writes.
/// </summary>
internal interface IObjectStore
{
    /// <summary>Where it is, as the settings name it.</summary>
    string Location { get; }

    /// <summary>Writes an object; one of that key is replaced.</summary>
    /// <exception cref="Engine.DtiException">The storage does not answer (UNAVAILABLE), or refuses.</exception>
    Task PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default);

    /// <summary>Reads an object; null: there is none.</summary>
    /// <exception cref="Engine.DtiException">As <see cref="PutAsync"/>.</exception>
    Task<byte[]?> GetAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>Lists the objects whose keys begin with a prefix, by key.</summary>
    /// <exception cref="Engine.DtiException">As <see cref="PutAsync"/>.</exception>
    Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, CancellationToken cancellationToken = default);

    /// <summary>Deletes an object, if there is one.</summary>
    /// <exception cref="Engine.DtiException">As <see cref="PutAsync"/>.</exception>
    Task DeleteAsync(string key, CancellationToken cancellationToken = default);
}

/// <summary>An object in a list.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Modified">When it was written, by the clock of the storage.</param>
internal sealed record StoredObject(string Key, long Length, DateTimeOffset Modified);
