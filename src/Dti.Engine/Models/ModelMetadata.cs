using System.IO.Compression;
using System.Runtime.InteropServices;
using Dti.Engine.Checkpoints;

namespace Dti.Engine.Models;

/// <summary>
/// A model without its weights: configs, tokenizers, the headers of its safetensors files, and the norms of its
/// vocabularies. A host that does not have the model reads its profile from them, and checks requests against it.
/// </summary>
public static class ModelMetadata
{
    private const string Weights = ".safetensors";
    private const string Norms = "vocabulary-norms"; // a folder next to the model folder
    private const long MaxFileBytes = 256L << 20; // the largest published tokenizers have 34 MB

    private static readonly EnumerationOptions _everyFile = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = 2,
    };

    /// <summary>
    /// The files that decide what a model is: weights, configs and tokenizers of a folder, or a single file. A README or
    /// a sample image is none of them.
    /// </summary>
    /// <param name="path">A model folder or a single file.</param>
    /// <returns>Full paths, each with the path below the folder, with slashes; of a single file its name.</returns>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static IReadOnlyList<(string Path, string Name)> Files(string path) =>
        File.Exists(path)
            ? [(path, Path.GetFileName(path))]
            :
            [
                .. Directory
                    .EnumerateFiles(path, "*", _everyFile)
                    .Where(file => Path.GetExtension(file) is Weights or ".json" or ".txt" or ".model")
                    .Select(file => (file, Path.GetRelativePath(path, file).Replace('\\', '/')))
                    .OrderBy(named => named.Item2, StringComparer.Ordinal),
            ];

    /// <summary>Packs the metadata of a model into a ZIP archive, of some megabytes at most.</summary>
    /// <exception cref="DtiException">The weights cannot be read.</exception>
    /// <exception cref="IOException">Another file cannot be read.</exception>
    public static byte[] Pack(ModelProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        using var packed = new MemoryStream();
        using (var archive = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
        {
            var folder = File.Exists(profile.Path) ? "" : Path.GetFileName(profile.Path) + "/";
            foreach (var (file, name) in Files(profile.Path))
            {
                using var entry = archive.CreateEntry(folder + name).Open();
                if (Path.GetExtension(file) == Weights)
                {
                    entry.Write(SafetensorsHeader.WithoutData(file));
                }
                else if (new FileInfo(file).Length <= MaxFileBytes)
                {
                    using var content = File.OpenRead(file);
                    content.CopyTo(entry);
                }
            }

            foreach (var encoder in profile.Encoders)
            {
                using var entry = archive.CreateEntry($"{Norms}/{encoder.Component}").Open();
                entry.Write(MemoryMarshal.AsBytes(encoder.VocabularyNorms.All));
            }
        }

        return packed.ToArray();
    }

    /// <summary>Writes the metadata of a model as files, which <see cref="Families.ModelFamilies.Read"/> reads.</summary>
    /// <param name="packed">What <see cref="Pack"/> returned.</param>
    /// <param name="folder">Where to; it is empty.</param>
    /// <returns>The model folder, or the single file.</returns>
    /// <exception cref="InvalidDataException">It is not such an archive.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static string Unpack(byte[] packed, string folder)
    {
        using var archive = new ZipArchive(new MemoryStream(packed), ZipArchiveMode.Read);
        archive.ExtractToDirectory(folder); // refuses names that lead out of the folder
        return Directory.EnumerateFileSystemEntries(folder).SingleOrDefault(entry => Path.GetFileName(entry) != Norms)
            ?? throw new InvalidDataException("The archive contains no model.");
    }

    /// <summary>The norms of a vocabulary that were packed with a model's metadata; null: there are none.</summary>
    /// <param name="path">What <see cref="Unpack"/> returned.</param>
    /// <param name="component"><c>text_encoder</c>, ….</param>
    internal static float[]? NormsOf(string path, string component)
    {
        var file = Path.Combine(Path.GetDirectoryName(path) ?? "", Norms, component);
        return File.Exists(file) ? MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(file)).ToArray() : null;
    }
}
