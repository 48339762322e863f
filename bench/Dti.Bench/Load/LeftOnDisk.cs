using Dti.Engine;
using Dti.Engine.Checkpoints;
using Dti.Engine.Runtime.Files;

namespace Dti.Bench.Load;

/// <summary>What a server that ended left in its data folder.</summary>
internal static class LeftOnDisk
{
    /// <summary>
    /// What is there and should not be: drafts, files that cannot be read, parts of a concept without its description.
    /// </summary>
    public static IEnumerable<string> Problems(string data)
    {
        foreach (var file in Directory.EnumerateFiles(data, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(data, file);
            if (file.EndsWith(AtomicFile.Draft, StringComparison.Ordinal))
            {
                yield return $"{name}: a draft";
            }
            else if (Path.GetExtension(file) is ".safetensors" or ".concept" && Unreadable(file) is { } reason)
            {
                yield return $"{name}: {reason}";
            }
        }
    }

    private static string? Unreadable(string file)
    {
        try
        {
            using var opened = SafetensorsFile.Open(file);
            return null;
        }
        catch (DtiException error)
        {
            return error.Message;
        }
    }
}
