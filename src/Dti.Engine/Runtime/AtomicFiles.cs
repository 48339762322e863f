namespace Dti.Engine.Runtime;

/// <summary>
/// Files that belong together: all are written beside their places and flushed to disk before the first is put into its place, so that a full disk
/// changes none. If one cannot be put there, those before it go back to what they were.
/// </summary>
public sealed class AtomicFiles : IDisposable
{
    private readonly List<(string Draft, string Path)> _files = [];

    /// <summary>How a file to be written is opened, and put in its place: tests put a disk here that fails.</summary>
    internal static Func<string, FileStreamOptions, FileStream> Open { get; set; } = (path, options) => new FileStream(path, options);

    /// <inheritdoc cref="Open"/>
    internal static Action<string, string> Rename { get; set; } = (draft, path) => File.Move(draft, path, overwrite: true);

    /// <summary>Writes a file beside its place.</summary>
    /// <param name="path">Its place.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="ownerOnly">Nobody but the owner may read it; on Windows that is left to the folder's rights.</param>
    /// <returns>Where it is until <see cref="Commit"/>.</returns>
    /// <exception cref="DtiException">The disk is full (<see cref="ErrorKind.ResourceExhausted"/>), or the folder cannot be written.</exception>
    public string Add(string path, Action<Stream> write, bool ownerOnly = false)
    {
        var draft = $"{path}.{Guid.NewGuid():N}{AtomicFile.Draft}";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
            if (ownerOnly && !OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var stream = Open(draft, options))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            _files.Add((draft, path));
            return draft;
        }
        catch (Exception error)
        {
            TryDelete(draft);
            throw error is IOException or UnauthorizedAccessException ? AtomicFile.Explain(path, error) : error;
        }
    }

    /// <summary>Puts all into their places, in the order in which they were written.</summary>
    /// <exception cref="DtiException">One cannot be put there; all is as it was.</exception>
    public void Commit()
    {
        using var former = new AtomicFiles();
        (string Path, string? Kept)[] changed = [.. _files.SkipLast(1).Select(file => (file.Path, File.Exists(file.Path) ? former.Add(file.Path, stream => CopyTo(file.Path, stream)) : null))];
        foreach (var (index, (draft, path)) in _files.Index())
        {
            try
            {
                Rename(draft, path);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                foreach (var (before, kept) in changed.Take(index))
                {
                    GoBack(before, kept);
                }

                throw AtomicFile.Explain(path, error);
            }
        }
    }

    /// <summary>Deletes what was not put into its place.</summary>
    public void Dispose() => _files.ForEach(file => TryDelete(file.Draft));

    private static void CopyTo(string path, Stream stream)
    {
        using var file = File.OpenRead(path);
        file.CopyTo(stream);
    }

    private static void GoBack(string path, string? kept)
    {
        try
        {
            if (kept is null)
            {
                File.Delete(path);
            }
            else
            {
                Rename(kept, path);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The error that brought us here says more.
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The error that brought us here says more.
        }
    }
}
