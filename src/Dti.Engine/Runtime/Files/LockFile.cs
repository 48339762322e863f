using System.Diagnostics;

namespace Dti.Engine.Runtime.Files;

/// <summary>
/// A file that one process at a time holds; the system lets go of it when the process ends, however it ends.
/// </summary>
public static class LockFile
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Holds a lock until the stream is disposed.</summary>
    /// <param name="path">The file; it is made where none is, in a folder that is there.</param>
    /// <param name="patience">How long to wait while another process, or this one, holds it; zero: not at all.</param>
    /// <param name="ownerOnly">Nobody but the owner of the file can hold it; on Windows that is left to the folder's
    /// rights.</param>
    /// <param name="files">The disk; null: the system's.</param>
    /// <returns>Null: it was held all the time.</returns>
    /// <exception cref="IOException">The file cannot be made or opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be.</exception>
    public static FileStream? TryHold(string path, TimeSpan patience, bool ownerOnly = false, IFileStore? files = null)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
        };
        if (ownerOnly && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        for (var start = Stopwatch.GetTimestamp(); ; )
        {
            try
            {
                var held = (files ?? PhysicalFileStore.Instance).Open(path, options);
                if (ownerOnly)
                {
                    // an earlier version made it readable
                    PrivateFolder.Close(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                }

                return held;
            }
            catch (IOException error) when (IsHeld(error))
            {
                if (Stopwatch.GetElapsedTime(start) >= patience)
                {
                    return null;
                }

                Thread.Sleep(_pause);
            }
        }
    }

    /// <summary>Whether a file could not be opened because someone holds it.</summary>
    /// <param name="error">What opening it said.</param>
    public static bool IsHeld(Exception error) =>
        // EWOULDBLOCK on Linux (11) and macOS (35), ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION on Windows
        error is IOException
        && (error.HResult & 0xFFFF) is var code
        && (OperatingSystem.IsWindows() ? code is 32 or 33 : code is 11 or 35);
}
