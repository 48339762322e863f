using Dti.Engine;

namespace Dti.Server.Libraries;

/// <summary>What was read of models, or why it could not be; read again only when their files changed. Not thread-safe.</summary>
/// <param name="read">Reads a folder or a file; throws <see cref="DtiException"/> where it cannot be used.</param>
internal sealed class ProfileCache<T>(Func<string, T> read)
    where T : class
{
    private static readonly EnumerationOptions _everyFile = new() { RecurseSubdirectories = true, MaxRecursionDepth = 2 };
    private readonly Dictionary<string, (int Stamp, T? Profile, string Problem)> _known = new(StringComparer.Ordinal);

    /// <summary>The profile, or null and the problem.</summary>
    public (T? Profile, string Problem) Get(string path)
    {
        try
        {
            var stamp = Stamp(path);
            if (!_known.TryGetValue(path, out var known) || known.Stamp != stamp)
            {
                known = Read(path, stamp);
                _known[path] = known;
            }

            return (known.Profile, known.Problem);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return (null, $"{path} cannot be read: {error.Message}");
        }
    }

    private (int Stamp, T? Profile, string Problem) Read(string path, int stamp)
    {
        try
        {
            return (stamp, read(path), "");
        }
        catch (DtiException error)
        {
            return (stamp, null, error.Message);
        }
    }

    /// <summary>Changes when a file is added, removed or written.</summary>
    private static int Stamp(string path)
    {
        var stamp = new HashCode();
        IEnumerable<FileInfo> files = File.Exists(path) ? [new FileInfo(path)] : new DirectoryInfo(path).EnumerateFiles("*", _everyFile);
        foreach (var file in files.OrderBy(file => file.FullName, StringComparer.Ordinal))
        {
            stamp.Add(file.FullName);
            stamp.Add(file.LastWriteTimeUtc);
            stamp.Add(file.Length);
        }

        return stamp.ToHashCode();
    }
}
