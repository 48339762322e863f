namespace Dti.Server.Libraries;

/// <summary>Where something was found below a library's folders.</summary>
/// <param name="Name">Unique: the path below the folder, without its ending.</param>
/// <param name="Path">The folder, or the file.</param>
/// <param name="RelativePath">Below the library's folder, with slashes.</param>
internal sealed record LibraryPath(string Name, string Path, string RelativePath)
{
    private const int MaxDepth = 8;

    /// <summary>
    /// Looks through folders and what is below them, links included, hidden ones left out. The name depends on the path
    /// alone; where two have the same, the one that has been there longer keeps it and the other is called
    /// <c>name-2</c>.
    /// </summary>
    /// <param name="roots">Folders, or what is looked for itself; those that do not exist are passed over.</param>
    /// <param name="isWanted">Whether a path is what is looked for; nothing is looked for inside of it.</param>
    /// <returns>In the order of the roots, then of the paths.</returns>
    public static IReadOnlyList<LibraryPath> Find(IEnumerable<string> roots, Func<string, bool> isWanted)
    {
        var found = roots
            .SelectMany(root =>
                isWanted(root)
                    ? [At(System.IO.Path.GetDirectoryName(root) ?? root, root)]
                    : Below(root, isWanted, 0, []).Select(path => At(root, path))
            )
            .DistinctBy(place => place.Path, StringComparer.Ordinal)
            .ToList();
        var names = found.Select(place => place.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var same in found.GroupBy(place => place.Name).Where(group => group.Count() > 1).ToList())
        {
            foreach (var later in same.OrderBy(place => File.GetCreationTimeUtc(place.Path)).Skip(1))
            {
                var number = Enumerable.Range(2, int.MaxValue - 2).First(number => names.Add($"{later.Name}-{number}"));
                found[found.IndexOf(later)] = later with { Name = $"{later.Name}-{number}" };
            }
        }

        return found;
    }

    private static LibraryPath At(string root, string path)
    {
        var relative = System.IO.Path.GetRelativePath(root, path).Replace('\\', '/');
        return new LibraryPath(
            File.Exists(path) ? relative[..^System.IO.Path.GetExtension(relative).Length] : relative,
            path,
            relative
        );
    }

    private static IEnumerable<string> Below(
        string folder,
        Func<string, bool> isWanted,
        int depth,
        HashSet<string> seen
    ) =>
        depth < MaxDepth && seen.Add(Target(folder))
            ? Entries(folder)
                .SelectMany(path =>
                    isWanted(path) ? [path]
                    : Directory.Exists(path) ? Below(path, isWanted, depth + 1, seen)
                    : []
                )
            : [];

    /// <summary>What a link points at, so that links in a circle end.</summary>
    private static string Target(string folder)
    {
        try
        {
            return new DirectoryInfo(folder).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder;
        }
        catch (IOException)
        {
            return folder;
        }
    }

    private static IEnumerable<string> Entries(string folder)
    {
        try
        {
            return
            [
                .. Directory
                    .GetFileSystemEntries(folder)
                    .Where(path => !System.IO.Path.GetFileName(path).StartsWith('.'))
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return []; // it is not there, went away, or is not ours to see
        }
    }
}
