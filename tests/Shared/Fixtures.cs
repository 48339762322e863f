using System.Runtime.CompilerServices;

namespace Dti.Tests;

/// <summary>Finds golden fixtures: <c>tests/fixtures</c>, or the folder that <c>DTI_FIXTURES</c> names.</summary>
internal static class Fixtures
{
    public static string Root { get; } =
        Environment.GetEnvironmentVariable("DTI_FIXTURES") is { Length: > 0 } folder
            ? folder
            : Path.Combine(TestsFolder(), "fixtures");

    /// <summary>The repository's root, wherever the fixtures are.</summary>
    public static string Repository { get; } = Path.GetDirectoryName(TestsFolder())!;

    public static string Common(string file) => FixtureUse.Note(Path.Combine(Root, "common", file));

    /// <summary>A path below <see cref="Root"/> as the manifest spells it.</summary>
    public static string Name(string path) =>
        Path.GetRelativePath(Root, path).Replace(Path.DirectorySeparatorChar, '/');

    /// <summary>
    /// Model folders of Stable Diffusion, for <c>[MemberData]</c>: every folder whose <c>model_index.json</c> names one
    /// of its pipelines.
    /// </summary>
    public static IEnumerable<string> ModelFolders() =>
        Directory
            .GetDirectories(Root)
            .Where(folder =>
                Path.Combine(folder, "model_index.json") is var index
                && File.Exists(index)
                && File.ReadAllText(index).Contains("\"StableDiffusion", StringComparison.Ordinal)
            )
            .Order(StringComparer.Ordinal);

    /// <summary>Copies a fixture's model folder, without what is expected of it.</summary>
    /// <returns><paramref name="target"/></returns>
    public static string CopyModel(string family, string target)
    {
        var source = Path.Combine(Root, family);
        foreach (
            var file in Directory
                .GetFiles(source, "*", SearchOption.AllDirectories)
                .Where(file => !file.Contains("expected", StringComparison.Ordinal))
        )
        {
            var copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return target;
    }

    private static string TestsFolder([CallerFilePath] string file = "") =>
        Path.GetDirectoryName(Path.GetDirectoryName(file))!;
}
