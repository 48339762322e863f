namespace Dti.Engine.Runtime;

/// <summary>Files that appear whole or not at all: written beside their place, flushed to disk, then renamed.</summary>
public static class AtomicFile
{
    /// <summary>How the name of a file that is not yet in its place ends; a killed process may leave one.</summary>
    public const string Draft = ".tmp";

    /// <summary>How a file to be written is opened, and put in its place: tests put a disk here that fails.</summary>
    internal static Func<string, FileStreamOptions, FileStream> Open { get; set; } = (path, options) => new FileStream(path, options);

    /// <inheritdoc cref="Open"/>
    internal static Action<string, string> Rename { get; set; } = (draft, path) => File.Move(draft, path, overwrite: true);

    /// <summary>Writes a file.</summary>
    /// <param name="path">Its place; an older file there is replaced, and kept if anything fails.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="ownerOnly">Nobody but the owner may read it; on Windows that is left to the folder's rights.</param>
    /// <exception cref="DtiException">The disk is full (<see cref="ErrorKind.ResourceExhausted"/>), or the folder cannot be written.</exception>
    public static void Write(string path, Action<Stream> write, bool ownerOnly = false)
    {
        var draft = $"{path}.{Guid.NewGuid():N}{Draft}";
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

            Rename(draft, path);
        }
        catch (Exception error)
        {
            TryDelete(draft);
            throw error is IOException or UnauthorizedAccessException ? Explain(path, error) : error;
        }
    }

    /// <inheritdoc cref="Write"/>
    public static void WriteAllBytes(string path, ReadOnlyMemory<byte> bytes, bool ownerOnly = false) => Write(path, stream => stream.Write(bytes.Span), ownerOnly);

    /// <inheritdoc cref="Write"/>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>What went wrong with a file, in words: <see cref="ErrorKind.ResourceExhausted"/> if the disk is full.</summary>
    public static DtiException Explain(string path, Exception error)
    {
        // ENOSPC on Unix (28), ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL on Windows.
        var full = error is IOException && (error.HResult & 0xFFFF) is 28 or 112 or 39;
        return full
            ? new DtiException(ErrorKind.ResourceExhausted, $"The disk is full: {Path.GetFileName(path)} was not written. Free some space and try again.", innerException: error)
            : new DtiException(ErrorKind.FailedPrecondition, $"{path} cannot be written: {error.Message}", innerException: error);
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
