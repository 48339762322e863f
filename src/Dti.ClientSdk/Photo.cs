namespace Dti.ClientSdk;

/// <summary>An encoded photo.</summary>
/// <param name="FileName">Its name; only for messages.</param>
/// <param name="Data">The file's bytes: JPEG, PNG, WebP, BMP or GIF.</param>
public sealed record Photo(string FileName, ReadOnlyMemory<byte> Data)
{
    /// <summary>
    /// An image of the same shape, white where the concept is and black where it is not: only what is white is learnt.
    /// Empty: all of the photo.
    /// </summary>
    public ReadOnlyMemory<byte> Mask { get; init; }

    /// <summary>
    /// What the photo shows, in place of a prompt template. <c>{concept}</c> says where the concept is named; without
    /// it, the concept takes the place of the initializer in the text. Empty: a template.
    /// </summary>
    public string Caption { get; init; } = "";

    /// <summary>Reads a photo from a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<Photo> ReadAsync(string path, CancellationToken cancellationToken = default) =>
        new(Path.GetFileName(path), await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false));
}
