namespace Dti.Engine.Runtime.Files;

/// <summary>
/// Files that appear completely or not at all: written under another name in the same folder, flushed to disk, then
/// renamed.
/// </summary>
public static class AtomicFile
{
    /// <summary>How the name of a file that is not yet in its place ends; a killed process may leave one.</summary>
    public const string Draft = ".tmp";

    /// <summary>Writes a file.</summary>
    /// <param name="path">Its place; an older file there is replaced, and kept if anything fails.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="ownerOnly">Nobody but the owner may read it; on Windows that is left to the folder's
    /// rights.</param>
    /// <param name="files">The disk; null: the system's.</param>
    /// <exception cref="DtiException">The disk is full (<see cref="ErrorKind.ResourceExhausted"/>), or the folder
    /// cannot be written.</exception>
    public static void Write(string path, Action<Stream> write, bool ownerOnly = false, IFileStore? files = null)
    {
        var draft = $"{path}.{Guid.NewGuid():N}{Draft}";
        WriteNew(draft, path, write, ownerOnly, files);
        try
        {
            (files ?? PhysicalFileStore.Instance).Move(draft, path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            TryDelete(draft, files);
            throw Explain(path, error);
        }
    }

    /// <inheritdoc cref="Write"/>
    public static void WriteAllBytes(
        string path,
        ReadOnlyMemory<byte> bytes,
        bool ownerOnly = false,
        IFileStore? files = null
    ) => Write(path, stream => stream.Write(bytes.Span), ownerOnly, files);

    /// <inheritdoc cref="Write"/>
    public static void WriteAllText(string path, string text, IFileStore? files = null) =>
        WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(text), files: files);

    /// <summary>
    /// Deletes the drafts that a killed process left, for who knows that nobody else is writing there.
    /// </summary>
    /// <param name="folder">Where.</param>
    /// <param name="name">Of which file; <c>*</c>: of all.</param>
    /// <param name="files">The disk; null: the system's.</param>
    public static void DeleteDrafts(string folder, string name = "*", IFileStore? files = null)
    {
        foreach (var draft in Directory.EnumerateFiles(folder, $"{name}.*{Draft}"))
        {
            TryDelete(draft, files);
        }
    }

    /// <summary>
    /// What went wrong with a file, in words: <see cref="ErrorKind.ResourceExhausted"/> if the disk is full.
    /// </summary>
    public static DtiException Explain(string path, Exception error)
    {
        // ENOSPC on Unix (28), ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL on Windows.
        var full = error is IOException && (error.HResult & 0xFFFF) is 28 or 112 or 39;
        return full
            ? new DtiException(
                ErrorKind.ResourceExhausted,
                $"The disk is full: {Path.GetFileName(path)} was not written. Free some space and try again.",
                innerException: error
            )
            : new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path} cannot be written: {error.Message}",
                innerException: error
            );
    }

    /// <summary>Writes a file where none is, and flushes it to disk; if that fails, it is deleted.</summary>
    /// <param name="path">The file.</param>
    /// <param name="place">Where it will be, for messages.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="ownerOnly">Nobody but the owner may read it.</param>
    /// <param name="files">The disk; null: the system's.</param>
    /// <exception cref="DtiException">The disk is full, or the folder cannot be written.</exception>
    internal static void WriteNew(
        string path,
        string place,
        Action<Stream> write,
        bool ownerOnly = false,
        IFileStore? files = null
    )
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
        };
        if (ownerOnly && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            using var stream = (files ?? PhysicalFileStore.Instance).Open(path, options);
            write(stream);
            stream.Flush(flushToDisk: true);
        }
        catch (Exception error)
        {
            TryDelete(path, files);
            throw error is IOException or UnauthorizedAccessException ? Explain(place, error) : error;
        }
    }

    /// <summary>
    /// Deletes a file or a folder, if that can be done: what is left over costs space, and nothing else.
    /// </summary>
    internal static void TryDelete(string path, IFileStore? files = null)
    {
        try
        {
            (files ?? PhysicalFileStore.Instance).Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException) { }
    }
}
