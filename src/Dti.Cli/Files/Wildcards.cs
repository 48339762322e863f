namespace Dti.Cli.Files;

/// <summary>
/// Expands <c>*</c> and <c>?</c> in arguments that name files. Shells of Unix do it before a program starts, cmd and
/// PowerShell do not.
/// </summary>
internal static class Wildcards
{
    private static readonly EnumerationOptions _matching = new() { MatchCasing = MatchCasing.PlatformDefault };

    /// <summary>
    /// The files and folders that a pattern matches, by name; a path that exists, or has no wildcard, is itself.
    /// </summary>
    /// <exception cref="CliException">Nothing matches.</exception>
    public static IReadOnlyList<string> Expand(string path)
    {
        if (!HasWildcard(path) || Path.Exists(path))
            return [path];

        var matches = Match(path).Order(StringComparer.Ordinal).ToList();
        return matches.Count > 0 ? matches : throw new CliException(ExitCode.NotFound, $"No file matches '{path}'.");
    }

    private static IEnumerable<string> Match(string path)
    {
        var parent = Path.GetDirectoryName(path) ?? "";
        var pattern = Path.GetFileName(path);
        IEnumerable<string> folders = !HasWildcard(parent) ? [parent] : Match(parent);
        return folders
            .Where(folder => folder.Length == 0 || Directory.Exists(folder))
            .SelectMany(folder =>
                HasWildcard(pattern)
                    ? Directory
                        .EnumerateFileSystemEntries(folder.Length == 0 ? "." : folder, pattern, _matching)
                        .Select(entry => Path.Combine(folder, Path.GetFileName(entry)))
                    : new[] { Path.Combine(folder, pattern) }.Where(Path.Exists)
            );
    }

    private static bool HasWildcard(string path) => path.AsSpan().ContainsAny('*', '?');
}
