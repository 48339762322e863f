using System.Collections.Concurrent;

namespace Dti.Tests;

/// <summary>
/// Which recorded files and tensors the tests of this process have read. They are written to a file in the folder
/// <c>FIXTURES_USED</c>, where <c>dti test</c> looks for those that no test has compared.
/// </summary>
internal static class FixtureUse
{
    private static readonly ConcurrentDictionary<string, bool> _used = new(StringComparer.Ordinal);

    static FixtureUse()
    {
        if (Environment.GetEnvironmentVariable("FIXTURES_USED") is { Length: > 0 } folder)
        {
            AppDomain.CurrentDomain.ProcessExit += (_, _) =>
                File.WriteAllLines(
                    Path.Combine(folder, $"{Guid.NewGuid():N}"),
                    _used.Keys.Order(StringComparer.Ordinal)
                );
        }
    }

    /// <summary>Notes a file below <see cref="Fixtures.Root"/>; others are ignored.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensor">The tensor of it that is read; empty: the file as a whole.</param>
    /// <returns><paramref name="path"/></returns>
    public static string Note(string path, string tensor = "")
    {
        var name = Fixtures.Name(path);
        if (!name.StartsWith("..", StringComparison.Ordinal))
        {
            _used[name + (tensor.Length > 0 ? $":{tensor}" : "")] = true;
        }

        return path;
    }
}
