namespace Dti.Engine.Runtime.Files;

/// <summary>
/// Folders that nobody but the process's user can enter, for photos, locks and drafts. On Windows that is left to the
/// rights of the folder above.
/// </summary>
public static class PrivateFolder
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes a folder; one that is there keeps its rights.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    public static void Make(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(path, Owner);
    }

    /// <summary>Makes a folder, or takes the rights of others from one that an earlier version made.</summary>
    /// <inheritdoc cref="Make"/>
    public static void MakeOrClose(string path)
    {
        Make(path);
        if (!OperatingSystem.IsWindows())
        {
            Close(path, Owner);
        }
    }

    /// <summary>
    /// Opens a new file in the system's folder for passing files. Only the process's user can read it, and it is
    /// deleted when it is closed.
    /// </summary>
    /// <param name="prefix">What its name begins with.</param>
    internal static FileStream OpenPassing(string prefix)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            Options = FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(Path.Combine(Path.GetTempPath(), $"{prefix}{Guid.NewGuid():N}.tmp"), options);
    }

    /// <summary>Takes the rights of others from a file or a folder, if it is this user's.</summary>
    internal static void Close(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        try
        {
            if (File.GetUnixFileMode(path) != mode)
            {
                File.SetUnixFileMode(path, mode);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It is another user's, who decides.
        }
    }
}
