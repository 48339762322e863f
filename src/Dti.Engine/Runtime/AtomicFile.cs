namespace Dti.Engine.Runtime;

/// <summary>Files that appear whole or not at all: written beside their place, flushed to disk, then renamed.</summary>
public static class AtomicFile
{
    /// <summary>How the name of a file that is not yet in its place ends; a killed process may leave one.</summary>
    public const string Draft = ".tmp";

    /// <summary>Writes a file.</summary>
    /// <param name="path">Its place; an older file there is replaced, and kept if anything fails.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="ownerOnly">Nobody but the owner may read it; on Windows that is left to the folder's rights.</param>
    /// <exception cref="DtiException">The disk is full (<see cref="ErrorKind.ResourceExhausted"/>), or the folder cannot be written.</exception>
    public static void Write(string path, Action<Stream> write, bool ownerOnly = false)
    {
        using var files = new AtomicFiles();
        files.Add(path, write, ownerOnly);
        files.Commit();
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
}
