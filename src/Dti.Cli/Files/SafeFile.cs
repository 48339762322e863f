namespace Dti.Cli.Files;

/// <summary>Files that are there whole or not at all, and never replace another unless asked to.</summary>
internal static class SafeFile
{
    /// <summary>Writes a file.</summary>
    /// <param name="path">Where; its folder is made if needed.</param>
    /// <param name="data">Its bytes.</param>
    /// <param name="overwrite">Replace a file of that name; else it is an error.</param>
    /// <param name="cancellationToken">Stops before the file appears.</param>
    /// <exception cref="IOException">It exists, or cannot be written.</exception>
    public static async Task WriteAsync(
        string path,
        ReadOnlyMemory<byte> data,
        bool overwrite,
        CancellationToken cancellationToken
    )
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        var draft = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
        try
        {
            await File.WriteAllBytesAsync(draft, data, cancellationToken).ConfigureAwait(false);
            File.Move(draft, path, overwrite);
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
