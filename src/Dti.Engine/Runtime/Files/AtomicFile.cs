namespace Dti.Engine.Runtime.Files;

/// <summary>
/// Files that appear completely or not at all: written under another name in the same folder, flushed to disk, then
/// renamed.
/// </summary>
public static class AtomicFile
{
    /// <summary>How the name of a file that is not yet in its place ends; a killed process may leave one.</summary>
    public const string Draft = ".tmp";

    /// <summary>How a file to be written is opened: tests put a disk here that fails.</summary>
    internal static Func<string, FileStreamOptions, FileStream> Open { get; set; } =
        (path, options) => new FileStream(path, options);

    /// <summary>
    /// How a file or folder is put in its place; a file there is replaced, a folder must not be there.
    /// </summary>
    internal static Action<string, string> Rename { get; set; } = MoveEntry;

    /// <summary>How a file, or a folder with all that is in it, is deleted.</summary>
    internal static Action<string> Delete { get; set; } = DeleteEntry;

    /// <summary>Writes a file.</summary>
    /// <param name="path">Its place; an older file there is replaced, and kept if anything fails.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="ownerOnly">Nobody but the owner may read it; on Windows that is left to the folder's
    /// rights.</param>
    /// <exception cref="DtiException">The disk is full (<see cref="ErrorKind.ResourceExhausted"/>), or the folder
    /// cannot be written.</exception>
    public static void Write(string path, Action<Stream> write, bool ownerOnly = false)
    {
        var draft = $"{path}.{Guid.NewGuid():N}{Draft}";
        WriteNew(draft, path, write, ownerOnly);
        try
        {
            Rename(draft, path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            TryDelete(draft);
            throw Explain(path, error);
        }
    }

    /// <inheritdoc cref="Write"/>
    public static void WriteAllBytes(string path, ReadOnlyMemory<byte> bytes, bool ownerOnly = false) =>
        Write(path, stream => stream.Write(bytes.Span), ownerOnly);

    /// <inheritdoc cref="Write"/>
    public static void WriteAllText(string path, string text) =>
        WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>
    /// Deletes the drafts that a killed process left, for who knows that nobody else is writing there.
    /// </summary>
    /// <param name="folder">Where.</param>
    /// <param name="name">Of which file; <c>*</c>: of all.</param>
    public static void DeleteDrafts(string folder, string name = "*")
    {
        foreach (var draft in Directory.EnumerateFiles(folder, $"{name}.*{Draft}"))
        {
            TryDelete(draft);
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
    /// <exception cref="DtiException">The disk is full, or the folder cannot be written.</exception>
    internal static void WriteNew(string path, string place, Action<Stream> write, bool ownerOnly = false)
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
            using var stream = Open(path, options);
            write(stream);
            stream.Flush(flushToDisk: true);
        }
        catch (Exception error)
        {
            TryDelete(path);
            throw error is IOException or UnauthorizedAccessException ? Explain(place, error) : error;
        }
    }

    /// <summary>
    /// Deletes a file or a folder, if that can be done: what is left over costs space, and nothing else.
    /// </summary>
    internal static void TryDelete(string path)
    {
        try
        {
            Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException) { }
    }

    internal static void MoveEntry(string from, string to)
    {
        if (Directory.Exists(from))
        {
            Directory.Move(from, to);
        }
        else
        {
            File.Move(from, to, overwrite: true);
        }
    }

    internal static void DeleteEntry(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }
}
