using System.Buffers.Binary;
using System.Text.Json;
using Dti.Tests;

namespace Dti.Test;

/// <summary>
/// Compares the recorded files of <c>tests/fixtures</c> with their manifest, and with what the tests have read: a
/// number that no test compares any longer, because its test is gone or found nothing to do, is a failure.
/// </summary>
/// <param name="root">The repository.</param>
/// <param name="used">The folder where the tests have written what they read.</param>
internal sealed class FixturesPart(string root, string used)
{
    public const string Name = "fixtures";

    private readonly string _fixtures = Path.Combine(root, "tests", "fixtures");

    public PartResult Run()
    {
        var read = Directory.GetFiles(used).SelectMany(File.ReadLines).ToHashSet(StringComparer.Ordinal);
        var failures = new List<Failure>();
        void Check(bool holds, string what, string otherwise)
        {
            if (!holds)
            {
                failures.Add(new Failure(what, otherwise, "--no-build"));
            }
        }

        var entries = Entries().ToList();
        foreach (var (folder, pattern, entry) in entries)
        {
            var files = Directory.GetFiles(Path.Combine(_fixtures, folder), pattern);
            Check(files.Length > 0, $"{folder}/{pattern}", "The manifest lists it, but it is not there.");
            foreach (var file in files.Select(path => $"{folder}/{Path.GetFileName(path)}"))
            {
                Check(entry.NotRead is not null || read.Contains(file), file, "No test has read this recorded file.");
                foreach (
                    var tensor in entry.Tolerances is null
                        ? []
                        : TensorsOf(file).Where(name => !IsNotCompared(entry, name))
                )
                {
                    Check(
                        read.Contains($"{file}:{tensor}"),
                        $"{file}: {tensor}",
                        "No test has read this recorded tensor."
                    );
                }
            }
        }

        foreach (var listed in entries.ToLookup(entry => entry.Folder))
        {
            var folder = listed.Key;
            foreach (var file in Directory.GetFiles(Path.Combine(_fixtures, folder)).Select(Path.GetFileName))
            {
                Check(
                    listed.Any(entry => FixtureManifest.Fits(entry.Pattern, file!)),
                    $"{folder}/{file}",
                    "The manifest does not list it."
                );
            }
        }

        return new PartResult(failures.Count == 0 ? 1 : 0, failures, []);
    }

    private IEnumerable<(string Folder, string Pattern, FixtureFile File)> Entries() =>
        from one in FixtureManifest.Read(root)
        from folder in one.Folders
        from entry in one.Files
        where entry.Value.OnlyIn?.Contains(folder) ?? true
        select (folder, entry.Key, entry.Value);

    private static bool IsNotCompared(FixtureFile entry, string tensor) =>
        (entry.NotCompared ?? []).Any(some => FixtureManifest.Fits(some.Tensors, tensor));

    /// <summary>The names in the header of a safetensors file.</summary>
    private IEnumerable<string> TensorsOf(string file)
    {
        var bytes = File.ReadAllBytes(Path.Combine(_fixtures, file));
        using var header = JsonDocument.Parse(bytes.AsMemory(8, (int)BinaryPrimitives.ReadInt64LittleEndian(bytes)));
        return
        [
            .. header
                .RootElement.EnumerateObject()
                .Select(property => property.Name)
                .Where(name => name != "__metadata__"),
        ];
    }
}
