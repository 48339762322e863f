using Dti.Engine.Runtime.Files;

namespace Dti.Server.ObjectStorage;

/// <summary>
/// Objects as files of a folder that all hosts mount, such as one of NFS. It needs no locks: a file is written under
/// another name in its own folder, and renamed there.
/// </summary>
/// <param name="root">The folder; it must be there, so that a host that lacks the mount does not write elsewhere.</param>
/// <param name="files">The disk; null: the system's.</param>
internal sealed class FolderObjectStore(string root, IFileStore? files = null) : IObjectStore
{
    private const int Attempts = 3; // a folder that has just become empty is deleted, and a replaced file is stale

    /// <inheritdoc/>
    public string Location => root;

    /// <inheritdoc/>
    public Task PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) =>
        Do(() =>
        {
            var path = PathOf(key);
            for (var attempt = 1; ; attempt++)
            {
                EnsureMounted();
                PrivateFolder.Make(Path.GetDirectoryName(path)!);
                try
                {
                    AtomicFile.WriteAllBytes(path, content, ownerOnly: true, files);
                    return true;
                }
                catch (Engine.DtiException error)
                    when (error.InnerException is DirectoryNotFoundException && attempt < Attempts) { }
            }
        });

    /// <inheritdoc/>
    public Task<byte[]?> GetAsync(string key, CancellationToken cancellationToken = default) =>
        Do(() =>
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return File.ReadAllBytes(PathOf(key));
                }
                catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
                {
                    EnsureMounted();
                    return null;
                }
                catch (UnauthorizedAccessException) when (Directory.Exists(PathOf(key)))
                {
                    return null;
                }
                catch (IOException) when (attempt < Attempts) { }
            }
        });

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, CancellationToken cancellationToken = default) =>
        Do<IReadOnlyList<StoredObject>>(() =>
        {
            EnsureMounted();
            var folder = PathOf(prefix[..(prefix.LastIndexOf('/') + 1)]);
            return Directory.Exists(folder)
                ?
                [
                    .. new DirectoryInfo(folder)
                        .EnumerateFiles("*", SearchOption.AllDirectories)
                        .Select(file => (File: file, Key: KeyOf(file.FullName)))
                        .Where(found =>
                            found.Key.StartsWith(prefix, StringComparison.Ordinal)
                            && !found.Key.EndsWith(AtomicFile.Draft, StringComparison.Ordinal)
                        )
                        .OrderBy(found => found.Key, StringComparer.Ordinal)
                        .Select(found => Described(found.File, found.Key))
                        .OfType<StoredObject>(),
                ]
                : [];
        });

    /// <inheritdoc/>
    public Task DeleteAsync(string key, CancellationToken cancellationToken = default) =>
        Do(() =>
        {
            var path = PathOf(key);
            try
            {
                File.Delete(path);
                for (
                    var folder = Path.GetDirectoryName(path)!;
                    folder.Length > Path.GetFullPath(root).Length
                        && !Directory.EnumerateFileSystemEntries(folder).Any();
                    folder = Path.GetDirectoryName(folder)!
                )
                {
                    Directory.Delete(folder);
                }
            }
            catch (DirectoryNotFoundException)
            {
                // Another host was faster.
            }
            catch (IOException) when (!File.Exists(path))
            {
                // Another host has just written into the folder.
            }

            return true;
        });

    private Task<T> Do<T>(Func<T> work)
    {
        try
        {
            return Task.FromResult(work());
        }
        catch (UnauthorizedAccessException error)
        {
            return Task.FromException<T>(
                StorageErrors.Refused(root, error.Message, "The user who runs the hosts must own the folder.")
            );
        }
        catch (IOException error)
        {
            return Task.FromException<T>(StorageErrors.NoAnswer(root, error.Message));
        }
        catch (Engine.DtiException error)
        {
            return Task.FromException<T>(error);
        }
    }

    private void EnsureMounted()
    {
        if (!Directory.Exists(root))
        {
            throw new IOException("There is no such folder; is it mounted?");
        }
    }

    private static StoredObject? Described(FileInfo file, string key)
    {
        try
        {
            return new StoredObject(key, file.Length, file.LastWriteTimeUtc);
        }
        catch (FileNotFoundException)
        {
            return null; // it has just been deleted
        }
    }

    private string PathOf(string key) =>
        Path.Combine(Path.GetFullPath(root), key.Replace('/', Path.DirectorySeparatorChar));

    private string KeyOf(string path) =>
        Path.GetRelativePath(Path.GetFullPath(root), path).Replace(Path.DirectorySeparatorChar, '/');
}
