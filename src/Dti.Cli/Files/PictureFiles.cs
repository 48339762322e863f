using System.Globalization;
using System.Text;
using Dti.ClientSdk;

namespace Dti.Cli.Files;

/// <summary>
/// Names for images: <c>out.png</c>, or <c>out-1.png</c>, <c>out-2.png</c>, … for several or where names are taken.
/// </summary>
internal sealed class PictureFiles
{
    private readonly string _stem; // folder and name without ending
    private readonly string? _ending;
    private readonly bool _overwrite;
    private int _number; // 0: none yet

    /// <summary>Creates the namer.</summary>
    /// <param name="output">File or existing folder; null: a file named after the prompt, here.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="count">How many images there will be.</param>
    /// <param name="overwrite">Replace files of these names.</param>
    public PictureFiles(string? output, string prompt, int count, bool overwrite)
    {
        var path = output ?? Slug(prompt);
        if (Directory.Exists(path) || Path.EndsInDirectorySeparator(path))
            path = Path.Combine(path, Slug(prompt));

        _ending = Path.GetExtension(path) is { Length: > 0 } ending && FormatOf(path) is not null ? ending : null;
        _stem = _ending is null ? path : path[..^_ending.Length];
        _overwrite = overwrite;
        _number = count > 1 ? 1 : 0;
    }

    /// <summary>The format that a file name asks for; null if it names none.</summary>
    public static PictureFormat? FormatOf(string? path) =>
        Path.GetExtension(path)?.ToUpperInvariant() switch
        {
            ".PNG" => PictureFormat.Png,
            ".JPG" or ".JPEG" => PictureFormat.Jpeg,
            ".WEBP" => PictureFormat.Webp,
            _ => null,
        };

    /// <summary>Writes an image under the next name.</summary>
    public async Task<string> WriteAsync(Picture picture, CancellationToken cancellationToken)
    {
        while (true)
        {
            var path = Next(picture.FileExtension);
            try
            {
                await SafeFile.WriteAsync(path, picture.Data, _overwrite, cancellationToken).ConfigureAwait(false);
                return path;
            }
            catch (IOException) when (!_overwrite && File.Exists(path))
            {
                // Taken since we looked: the next number.
            }
        }
    }

    /// <summary>A file name from a prompt: its words, joined by hyphens.</summary>
    internal static string Slug(string prompt)
    {
        var slug = new StringBuilder();
        foreach (var character in prompt.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(character))
                slug.Append(character);
            else if (slug.Length > 0 && slug[^1] != '-')
                slug.Append('-');
            if (slug.Length == 60)
                break;
        }

        return slug.ToString().Trim('-') is { Length: > 0 } name ? name : "picture";
    }

    private string Next(string ending)
    {
        while (true)
        {
            var number = _number == 0 ? "" : "-" + _number.ToString(CultureInfo.InvariantCulture);
            var path = _stem + number + (_ending ?? ending);
            _number = _number == 0 ? 2 : _number + 1;
            if (_overwrite || !File.Exists(path))
                return path;
        }
    }
}
