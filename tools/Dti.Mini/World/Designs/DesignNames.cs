namespace Dti.Mini.World.Designs;

/// <summary>
/// The words that stand for named designs: tokens of CLIP's vocabulary that English dictionaries do not have and that
/// can be pronounced.
/// </summary>
internal static class DesignNames
{
    /// <summary>The names; the one at index i stands for <see cref="Design.Named"/>(i).</summary>
    public static IReadOnlyList<string> All { get; } = Read();

    private static string[] Read()
    {
        using var stream = typeof(DesignNames).Assembly.GetManifestResourceStream("names.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
