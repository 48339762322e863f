using System.Text;
using Dti.ClientSdk;

namespace Dti.Cli.Files;

/// <summary>What becomes of the caption files next to photos.</summary>
internal enum CaptionFiles
{
    /// <summary>A caption says where the concept goes, by <c>{concept}</c> or by the initial word.</summary>
    Use,

    /// <summary>They are not read.</summary>
    Ignore,

    /// <summary>The concept is put in front of captions that do not say where it goes, as those of taggers.</summary>
    Prefix,
}

/// <summary>Photos that the command line names, as files or as folders of them.</summary>
internal static class PhotoFiles
{
    // The contract's limit: checked before a wrong folder is read into memory.
    private const int MostPhotos = 50;

    private const string MaskEnding = "-mask";
    private const string Concept = "{concept}";

    private static readonly string[] _captionEndings = [".txt", ".caption"];

    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The files, folders replaced by the images directly in them, by name. Files are recognised by their content.</summary>
    /// <param name="paths">Files, folders, and patterns with <c>*</c> and <c>?</c>.</param>
    /// <param name="leftOut">Told of each file of a folder that is no photo, with the reason; hidden files, captions and masks are expected there.</param>
    /// <exception cref="CliException">A path does not exist, a folder holds no image, or there are too many.</exception>
    public static IReadOnlyList<string> Find(IEnumerable<string> paths, Action<string>? leftOut = null)
    {
        var files = paths.SelectMany(Wildcards.Expand).SelectMany(path => Expand(path, leftOut)).ToList();
        return files.Count <= MostPhotos
            ? files
            : throw new CliException(
                ExitCode.Usage, $"A concept is learnt from at most {MostPhotos} photos, and these are {files.Count}; name fewer.");
    }

    /// <summary>Reads the photos with their masks, <c>NAME-mask.*</c>, and captions, <c>NAME.txt</c> or <c>NAME.caption</c>.</summary>
    /// <inheritdoc cref="Find"/>
    /// <param name="paths">Files, folders, and patterns.</param>
    /// <param name="captions">What becomes of caption files.</param>
    /// <param name="leftOut">Told of each file that is left out.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    public static async Task<IReadOnlyList<Photo>> ReadAsync(
        IEnumerable<string> paths, CaptionFiles captions, Action<string>? leftOut, CancellationToken cancellationToken)
    {
        var photos = new List<Photo>();
        foreach (var file in Find(paths, leftOut))
            photos.Add(await ReadAsync(file, captions, cancellationToken).ConfigureAwait(false));
        return photos;
    }

    private static async Task<Photo> ReadAsync(string file, CaptionFiles captions, CancellationToken cancellationToken)
    {
        var photo = await Photo.ReadAsync(file, cancellationToken).ConfigureAwait(false);
        if (MaskOf(file) is { } mask)
            photo = photo with { Mask = await File.ReadAllBytesAsync(mask, cancellationToken).ConfigureAwait(false) };
        if (captions == CaptionFiles.Ignore || CaptionOf(file) is not { } path)
            return photo;

        var caption = await ReadCaptionAsync(path, cancellationToken).ConfigureAwait(false);
        return captions == CaptionFiles.Use || caption.Contains(Concept, StringComparison.Ordinal)
            ? photo with { Caption = caption }
            : photo with { Caption = caption.Length == 0 ? Concept : $"{Concept}, {caption}" };
    }

    private static async Task<string> ReadCaptionAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return (await File.ReadAllTextAsync(path, _strict, cancellationToken).ConfigureAwait(false)).Trim();
        }
        catch (DecoderFallbackException)
        {
            throw new CliException(
                ExitCode.Usage, $"The caption '{path}' is neither UTF-8 nor UTF-16. Save it as UTF-8, or train without captions by --captions ignore.");
        }
    }

    private static string? CaptionOf(string photo) =>
        _captionEndings.Select(ending => Path.ChangeExtension(photo, ending)).FirstOrDefault(File.Exists);

    private static string? MaskOf(string photo) => Directory
        .EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(photo))!)
        .Where(file => Path.GetFileNameWithoutExtension(file) == Path.GetFileNameWithoutExtension(photo) + MaskEnding)
        .Order(StringComparer.Ordinal).FirstOrDefault(PhotoFormat.IsPhoto);

    private static List<string> Expand(string path, Action<string>? leftOut)
    {
        if (File.Exists(path))
        {
            return PhotoFormat.IsPhoto(path)
                ? [path]
                : throw new CliException(ExitCode.Usage, $"'{path}' is no photo: it is {PhotoFormat.Reason(path)}.");
        }

        if (!Directory.Exists(path))
            throw new CliException(ExitCode.NotFound, $"There is no file or folder '{path}'.");

        var files = Directory.EnumerateFiles(path).Where(file => Path.GetFileName(file)[0] != '.').Order(StringComparer.Ordinal).ToList();
        var names = files.Select(file => Path.GetFileNameWithoutExtension(file)!).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var photos = new List<string>();
        foreach (var file in files.Where(file => !IsMask(file, names)))
        {
            if (PhotoFormat.IsPhoto(file))
                photos.Add(file);
            else if (!_captionEndings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                leftOut?.Invoke($"'{Path.GetFileName(file)}' is left out: it is {PhotoFormat.Reason(file)}.");
        }

        return photos.Count > 0 ? photos : throw new CliException(ExitCode.NotFound, Nothing(path));
    }

    // A mask in a folder is no photo, if the photo that it belongs to is there.
    private static bool IsMask(string file, HashSet<string> names)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        return name.EndsWith(MaskEnding, StringComparison.OrdinalIgnoreCase) && names.Contains(name[..^MaskEnding.Length]);
    }

    private static string Nothing(string folder)
    {
        var below = Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)
            .FirstOrDefault(child => Directory.EnumerateFiles(child).Any(PhotoFormat.IsPhoto));
        return $"The folder '{folder}' holds no JPEG, PNG, WebP, BMP or GIF file."
            + (below is null ? "" : $" Its folder '{Path.GetFileName(below)}' does: name '{below}'.");
    }
}
