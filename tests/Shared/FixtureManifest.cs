using System.IO.Enumeration;
using System.Text.Json;

namespace Dti.Tests;

/// <summary>
/// <c>tests/fixtures/manifest.json</c>: which files are recorded, what made each of them, and how closely Dti must
/// agree with their tensors.
/// </summary>
internal static class FixtureManifest
{
    /// <summary>Reads the manifest.</summary>
    /// <param name="repository">The repository's root.</param>
    public static FixtureGroup[] Read(string repository) =>
        JsonSerializer.Deserialize<FixtureGroup[]>(
            File.ReadAllBytes(Path.Combine(repository, "tests", "fixtures", "manifest.json")),
            JsonSerializerOptions.Web
        )!;

    /// <summary>Whether a name fits a pattern, in which * stands for any characters.</summary>
    public static bool Fits(string pattern, string name) =>
        FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);
}

/// <summary>The recorded files of folders that hold the same files.</summary>
/// <param name="Folders">Below <c>fixtures</c>, with slashes.</param>
/// <param name="Files">By the pattern of their names.</param>
internal sealed record FixtureGroup(string[] Folders, Dictionary<string, FixtureFile> Files);

/// <summary>Recorded files.</summary>
/// <param name="Recipe">What made them.</param>
/// <param name="OnlyIn">The folders of the group that hold them; null: all.</param>
/// <param name="Tolerances">How closely their tensors are matched; the first entry that fits counts. Null: they are not
/// compared as tensors.</param>
/// <param name="NotCompared">Tensors that no test reads.</param>
/// <param name="NotRead">Why no test reads the file; null: one does.</param>
internal sealed record FixtureFile(
    string Recipe,
    string[]? OnlyIn,
    FixtureTensors[]? Tolerances,
    FixtureTensors[]? NotCompared,
    string? NotRead
);

/// <summary>Tensors of a file.</summary>
/// <param name="Tensors">The pattern of their names.</param>
/// <param name="Within">The largest relative error.</param>
/// <param name="Reason">Why it is that large, or why the tensors are not compared.</param>
/// <param name="OnlyIn">The folder in which this counts; null: all.</param>
internal sealed record FixtureTensors(string Tensors, double Within, string Reason, string? OnlyIn);
