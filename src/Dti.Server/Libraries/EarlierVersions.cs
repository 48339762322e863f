using System.Globalization;
using Dti.Engine.Runtime.Files;
using Dti.V1;

namespace Dti.Server.Libraries;

/// <summary>
/// What concepts were before they were replaced: the files of each in a folder of its name below the library's
/// <c>earlier</c>, called by the time at which that version came into the library. A version's description is written
/// last. Not thread-safe.
/// </summary>
internal sealed class EarlierVersions(string libraryFolder, IFileStore? files = null)
{
    /// <summary>How many of a name are kept.</summary>
    public const int Kept = 5;

    private const string Description = ".json";
    private const string Format = "yyyyMMdd'T'HHmmssfffffff'Z'";
    private const long MaxBytes = 64 << 20;
    private readonly string _folder = Path.Combine(libraryFolder, "earlier");

    /// <summary>Copies a concept that is about to be replaced, and lets the oldest version go.</summary>
    /// <param name="concept">Its description.</param>
    /// <param name="endings">The endings of its files, the description's first.</param>
    /// <exception cref="Engine.DtiException">The disk is full or the folder cannot be written.</exception>
    public void Keep(Concept concept, IReadOnlyList<string> endings)
    {
        var folder = FolderOf(concept.Name);
        PrivateFolder.Make(folder);
        AtomicFile.DeleteDrafts(folder, files: files); // of a process that was killed here
        var version = VersionOf(concept);
        if (Versions(concept.Name) is [var newest, ..] && string.CompareOrdinal(version, newest) <= 0)
        {
            version = After(newest); // the clock was set back: the newest stays the newest
        }

        foreach (var ending in endings.Reverse())
        {
            if (Path.Combine(libraryFolder, concept.Name + ending) is var file && File.Exists(file))
            {
                AtomicFile.WriteAllBytes(
                    Path.Combine(folder, version + ending),
                    RegularFile.ReadAllBytes(file, MaxBytes),
                    files: files
                );
            }
        }

        foreach (var old in Versions(concept.Name).Skip(Kept))
        {
            foreach (var ending in endings)
            {
                File.Delete(Path.Combine(folder, old + ending));
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

    /// <summary>A file of a version, which is one of <see cref="Versions"/>; it need not be there.</summary>
    public string PathOf(string name, string version, string ending) => Path.Combine(FolderOf(name), version + ending);

    /// <summary>Bytes on disk of all versions of a name.</summary>
    public long BytesOf(string name) =>
        Directory.Exists(FolderOf(name))
            ? new DirectoryInfo(FolderOf(name)).EnumerateFiles().Sum(file => file.Length)
            : 0;

    /// <summary>Deletes all versions of a name.</summary>
    public void Delete(string name)
    {
        if (Directory.Exists(FolderOf(name)))
        {
            Directory.Delete(FolderOf(name), recursive: true);
        }
    }

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

    private string FolderOf(string name) => Path.Combine(_folder, name);
}
