using Dti.ClientSdk;

namespace Dti.Cli.Files;

/// <summary>Photos that the command line names, as files or as folders of them.</summary>
internal static class PhotoFiles
{
    // The contract's limit: checked before a wrong folder is read into memory.
    private const int MostPhotos = 50;

    private const string MaskEnding = "-mask";

    private static readonly HashSet<string> _endings =
        new(StringComparer.OrdinalIgnoreCase) { ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif" };

    /// <summary>The files, folders replaced by the pictures directly in them, by name.</summary>
    /// <exception cref="CliException">A path does not exist, a folder holds no picture, or there are too many.</exception>
    public static IReadOnlyList<string> Find(IEnumerable<string> paths)
    {
        var files = paths.SelectMany(Wildcards.Expand).SelectMany(Expand).ToList();
        return files.Count <= MostPhotos
            ? files
            : throw new CliException(ExitCode.Usage, $"A concept is learnt from at most {MostPhotos} photos, and these are {files.Count}; name fewer.");
    }

    public static async Task<IReadOnlyList<Photo>> ReadAsync(IEnumerable<string> paths, CancellationToken cancellationToken)
    {
        var photos = new List<Photo>();
        foreach (var file in Find(paths))
            photos.Add(await ReadAsync(file, cancellationToken).ConfigureAwait(false));
        return photos;
    }

    /// <summary>A photo with what lies beside it: its mask, <c>NAME-mask.*</c>, and its caption, <c>NAME.txt</c>.</summary>
    private static async Task<Photo> ReadAsync(string file, CancellationToken cancellationToken)
    {
        var photo = await Photo.ReadAsync(file, cancellationToken).ConfigureAwait(false);
        if (MaskOf(file) is { } mask)
            photo = photo with { Mask = await File.ReadAllBytesAsync(mask, cancellationToken).ConfigureAwait(false) };
        var caption = Path.ChangeExtension(file, ".txt");
        return File.Exists(caption) ? photo with { Caption = (await File.ReadAllTextAsync(caption, cancellationToken).ConfigureAwait(false)).Trim() } : photo;
    }

    private static string? MaskOf(string photo) => _endings
        .Select(ending => Path.Combine(Path.GetDirectoryName(photo) ?? "", Path.GetFileNameWithoutExtension(photo) + MaskEnding + ending))
        .FirstOrDefault(File.Exists);

    // A mask in a folder is no photo, if the photo that it belongs to is there.
    private static bool IsMask(string file, IEnumerable<string> files)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        return name.EndsWith(MaskEnding, StringComparison.OrdinalIgnoreCase)
            && files.Any(other => Path.GetFileNameWithoutExtension(other).Equals(name[..^MaskEnding.Length], StringComparison.OrdinalIgnoreCase));
    }

    private static IEnumerable<string> Expand(string path)
    {
        if (File.Exists(path))
            return [path];
        if (!Directory.Exists(path))
            throw new CliException(ExitCode.NotFound, $"There is no file or folder '{path}'.");

        var pictures = Directory.EnumerateFiles(path).Where(file => _endings.Contains(Path.GetExtension(file))).Order(StringComparer.Ordinal).ToList();
        var files = pictures.Where(file => !IsMask(file, pictures)).ToList();
        return files.Count > 0
            ? files
            : throw new CliException(ExitCode.NotFound, $"The folder '{path}' holds no JPEG, PNG, WebP, BMP or GIF file.");
    }
}
