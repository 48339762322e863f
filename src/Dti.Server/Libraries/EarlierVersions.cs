using System.Globalization;
using Dti.Engine.Runtime.Files;
using Dti.V1;

namespace Dti.Server.Libraries;

/// <summary>
/// What concepts were before they were replaced: the files of each in a folder of its name below the library's
/// <c>earlier</c>, called by the time at which that version came into the library. A version's description is written
/// last. Not thread-safe.
/// </summary>
internal sealed class EarlierVersions(string libraryFolder)
{
    /// <summary>How many of a name are kept.</summary>
    public const int Kept = 5;

    private const string Description = ".json";
    private const string Format = "yyyyMMdd'T'HHmmssfffffff'Z'";
    private const long MaxBytes = 64 << 20;
    private const string Folder = "earlier";

    /// <summary>Adds a copy of a concept to the change that replaces it, which also removes the oldest version.</summary>
    /// <param name="change">The change.</param>
    /// <param name="concept">Its description.</param>
    /// <param name="files">Its files that are there, by their endings, the description's first.</param>
    /// <exception cref="Engine.DtiException">The disk is full or the folder cannot be written.</exception>
    public void Keep(FolderChange change, Concept concept, IReadOnlyList<(string Ending, string Path)> files)
    {
        var version = VersionOf(concept);
        if (Versions(concept.Name) is [var newest, ..] && string.CompareOrdinal(version, newest) <= 0)
        {
            version = After(newest); // the clock was set back: the newest stays the newest
        }

        foreach (var (ending, path) in files.Reverse())
        {
            change.Add(PlaceOf(concept.Name, version, ending), stream =>
                stream.Write(RegularFile.ReadAllBytes(path, MaxBytes))
            );
        }

        foreach (var old in Versions(concept.Name).Skip(Kept - 1))
        {
            foreach (var ending in ConceptFiles.Endings)
            {
                change.Remove(PlaceOf(concept.Name, old, ending));
            }
        }
    }

    /// <summary>The versions of a name, newest first.</summary>
    public IReadOnlyList<string> Versions(string name) =>
        Directory.Exists(FolderOf(name))
            ?
            [
                .. Directory
                    .EnumerateFiles(FolderOf(name), "*" + Description)
                    .Select(file => Path.GetFileNameWithoutExtension(file))
                    .OrderDescending(StringComparer.Ordinal),
            ]
            : [];

    /// <summary>
    /// The place of a file of a version in the library, which is one of <see cref="Versions"/>; it need not be there.
    /// </summary>
    public static string PlaceOf(string name, string version, string ending) => $"{PlaceOf(name)}/{version}{ending}";

    /// <summary>The place of all versions of a name.</summary>
    public static string PlaceOf(string name) => $"{Folder}/{name}";

    /// <summary>Bytes on disk of all versions of a name.</summary>
    public long BytesOf(string name) =>
        Directory.Exists(FolderOf(name))
            ? new DirectoryInfo(FolderOf(name)).EnumerateFiles().Sum(file => file.Length)
            : 0;

    private static string VersionOf(Concept concept) =>
        (concept.Created?.ToDateTime() ?? DateTime.UnixEpoch).ToString(Format, CultureInfo.InvariantCulture);

    private static string After(string version) =>
        DateTime.TryParseExact(
            version,
            Format,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal,
            out var time
        )
            ? time.AddTicks(1).ToString(Format, CultureInfo.InvariantCulture)
            : version + "-";

    private string FolderOf(string name) => Path.Combine(libraryFolder, Folder, name);
}
