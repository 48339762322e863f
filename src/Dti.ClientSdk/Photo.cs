namespace Dti.ClientSdk;

/// <summary>An encoded photo.</summary>
/// <param name="FileName">Its name; only for messages.</param>
/// <param name="Data">The file's bytes: JPEG, PNG, WebP, BMP or GIF.</param>
public sealed record Photo(string FileName, ReadOnlyMemory<byte> Data)
{
    /// <summary>Reads a photo from a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<Photo> ReadAsync(string path, CancellationToken cancellationToken = default) =>
        new(Path.GetFileName(path), await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false));
}
