using Dti.Cli.Output;
using Dti.ClientSdk;
using Dti.ClientSdk.Internal.Photos;

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
    private const int MaxPhotos = 50;

    private const string MaskEnding = "-mask";
    private const string Concept = "{concept}";

    private static readonly string[] _captionEndings = [".txt", ".caption"];

    /// <summary>
    /// The files, folders replaced by the images directly in them, by name. Files are recognised by their content.
    /// </summary>
    /// <param name="paths">Files, folders, and patterns with <c>*</c> and <c>?</c>.</param>
    /// <param name="leftOut">Told of each file of a folder that is no photo, with the reason; hidden files, captions
    /// and masks are expected there.</param>
    /// <exception cref="CliException">A path does not exist, a folder holds no image, or there are too
    /// many.</exception>
    public static IReadOnlyList<string> Find(IEnumerable<string> paths, Action<string>? leftOut = null)
    {
        var files = paths.SelectMany(Wildcards.Expand).SelectMany(path => Expand(path, leftOut)).ToList();
        return files.Count <= MaxPhotos
            ? files
            : throw new CliException(
                ExitCode.Usage,
                $"A concept is learnt from at most {MaxPhotos} photos, and these are {files.Count}; name fewer."
            );
    }

    /// <summary>
    /// Reads the photos with their masks, <c>NAME-mask.*</c>, and captions, <c>NAME.txt</c> or <c>NAME.caption</c>.
    /// Photos that do not fit into one request together are reduced one by one, so that only one of them is in memory
    /// as it is.
    /// </summary>
    /// <inheritdoc cref="Find"/>
    /// <param name="paths">Files, folders, and patterns.</param>
    /// <param name="captions">What becomes of caption files.</param>
    /// <param name="resolution">Of the training; null: the model's own.</param>
    /// <param name="output">Told of files that are left out, and of photos that were reduced.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="DtiClientException">A photo is too large and cannot be reduced.</exception>
    public static async Task<IReadOnlyList<Photo>> ReadAsync(
        IEnumerable<string> paths,
        CaptionFiles captions,
        int? resolution,
        IOutput output,
        CancellationToken cancellationToken
    )
    {
        var files = Find(paths, leftOut => output.Warning("PHOTO_LEFT_OUT", leftOut))
            .Select(file => (Photo: file, Mask: MaskOf(file)))
            .ToList();
        var sizes = new PhotoSizes(
            [.. files.Select(file => Length(file.Photo) + (file.Mask is null ? 0 : Length(file.Mask)))],
            resolution
        );
        var photos = new List<Photo>();
        foreach (var (file, mask) in files)
            photos.Add(sizes.Fit(await ReadAsync(file, mask, captions, cancellationToken).ConfigureAwait(false)));
        if (sizes.Report is { } reduced)
            output.Warning(PhotoSizes.Reduced, reduced);
        return photos;
    }

    private static long Length(string file) =>
        new FileInfo(file).ResolveLinkTarget(returnFinalTarget: true) is FileInfo target
            ? Bounded(file, target.Length)
            : Bounded(file, new FileInfo(file).Length);

    private static long Bounded(string file, long length) =>
        length <= Array.MaxLength
            ? length
            : throw new CliException(
                ExitCode.Usage,
                $"'{file}' has {length / (1 << 30)} GiB, and files of at most 2 GiB are read. Save it as JPEG with a shorter side of 2048 pixels."
            );

    private static async Task<Photo> ReadAsync(
        string file,
        string? mask,
        CaptionFiles captions,
        CancellationToken cancellationToken
    )
    {
        var photo = await Photo.ReadAsync(file, cancellationToken).ConfigureAwait(false);
        if (mask is not null)
            photo = photo with { Mask = await File.ReadAllBytesAsync(mask, cancellationToken).ConfigureAwait(false) };
        if (captions == CaptionFiles.Ignore || CaptionOf(file) is not { } path)
            return photo;

        var caption = CaptionText.Read(path).Trim();
        return captions == CaptionFiles.Use || caption.Contains(Concept, StringComparison.Ordinal)
            ? photo with
            {
                Caption = caption,
            }
            : photo with
            {
                Caption = caption.Length == 0 ? Concept : $"{Concept}, {caption}",
            };
    }

    private static string? CaptionOf(string photo) =>
        _captionEndings.Select(ending => Path.ChangeExtension(photo, ending)).FirstOrDefault(File.Exists);

    private static string? MaskOf(string photo) =>
        Directory
            .EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(photo))!)
            .Where(file =>
                Path.GetFileNameWithoutExtension(file) == Path.GetFileNameWithoutExtension(photo) + MaskEnding
            )
            .Order(StringComparer.Ordinal)
            .FirstOrDefault(PhotoFormat.IsPhoto);

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

        var files = Directory
            .EnumerateFiles(path)
            .Where(file => Path.GetFileName(file)[0] != '.')
            .Order(StringComparer.Ordinal)
            .ToList();
        var names = files
            .Select(file => Path.GetFileNameWithoutExtension(file)!)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
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
        return name.EndsWith(MaskEnding, StringComparison.OrdinalIgnoreCase)
            && names.Contains(name[..^MaskEnding.Length]);
    }

    private static string Nothing(string folder)
    {
        var below = Directory
            .EnumerateDirectories(folder)
            .Order(StringComparer.Ordinal)
            .FirstOrDefault(child => Directory.EnumerateFiles(child).Any(PhotoFormat.IsPhoto));
        return $"The folder '{folder}' holds no JPEG, PNG, WebP, BMP or GIF file."
            + (below is null ? "" : $" Its folder '{Path.GetFileName(below)}' does: name '{below}'.");
    }
}
