namespace Dti.ClientSdk;

/// <summary>An encoded image from the server.</summary>
/// <param name="Data">The bytes of a PNG, JPEG or WebP file.</param>
/// <param name="MediaType"><c>image/png</c>, <c>image/jpeg</c> or <c>image/webp</c>.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Index">Number of this image in its request, from 0.</param>
/// <param name="Prompt">The prompt that it was generated from.</param>
/// <param name="Seed">The request's seed; with the same settings, image <paramref name="Index"/> is the same
/// again.</param>
/// <param name="T">Interpolation only: position between the two concepts, 0 to 1, after easing.</param>
public sealed record Picture(
    ReadOnlyMemory<byte> Data,
    string MediaType,
    int Width,
    int Height,
    int Index,
    string Prompt,
    ulong Seed,
    double? T
)
{
    /// <summary>
    /// The usual ending of a file of this <see cref="MediaType"/>, with its dot: <c>.png</c>, <c>.jpg</c> or
    /// <c>.webp</c>.
    /// </summary>
    public string FileExtension =>
        MediaType switch
        {
            "image/jpeg" => ".jpg",
            "image/webp" => ".webp",
            _ => ".png",
        };
}
