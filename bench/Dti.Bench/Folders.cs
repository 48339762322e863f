using System.Runtime.CompilerServices;

namespace Dti.Bench;

/// <summary>Where things are in the repository.</summary>
internal static class Folders
{
    /// <summary><c>bench</c></summary>
    public static string Bench { get; } = Path.GetDirectoryName(Here())!;

    /// <summary>A tiny model's folder among the fixtures.</summary>
    public static string Fixture(string name) => Path.Combine(Bench, "..", "tests", "fixtures", name);

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
