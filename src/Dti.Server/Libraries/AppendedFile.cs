namespace Dti.Server.Libraries;

/// <summary>A file to which changes are appended, and which is rewritten when most of it does not count any more.</summary>
internal static class AppendedFile
{
    private const int MinWaste = 10_000; // entries; with fewer, rewriting is not worth it

    /// <summary>Whether the file should be rewritten.</summary>
    /// <param name="entries">Entries in the file.</param>
    /// <param name="needed">Entries that it would have then.</param>
    public static bool IsWasteful(int entries, int needed) => entries - needed > Math.Max(MinWaste, needed);
}
