using System.Collections.Concurrent;
using Dti.Engine;

namespace Dti.Server.Libraries;

/// <summary>
/// What was read of models, or why it could not be; read again only when their files changed. Thread-safe; who asks
/// waits for the reading of that one alone.
/// </summary>
/// <param name="read">Reads a folder or a file; throws <see cref="DtiException"/> where it cannot be used.</param>
internal sealed class ProfileCache<T>(Func<string, T> read)
    where T : class
{
    private static readonly EnumerationOptions _everyFile = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = 2,
    };
    private readonly ConcurrentDictionary<string, (int Stamp, Lazy<(T? Profile, string Problem)> Read)> _known = new(
        StringComparer.Ordinal
    );

    /// <summary>The profile, or null and the problem.</summary>
    public (T? Profile, string Problem) Get(string path)
    {
        try
        {
            var stamp = Stamp(path);
            return _known
                .AddOrUpdate(
                    path,
                    _ => (stamp, new(() => Read(path))),
                    (_, known) => known.Stamp == stamp ? known : (stamp, new(() => Read(path)))
                )
                .Read.Value;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _known.TryRemove(path, out _);
            return (null, $"{path} cannot be read: {error.Message}");
        }
    }

    private (T? Profile, string Problem) Read(string path)
    {
        try
        {
            return (read(path), "");
        }
        catch (DtiException error)
        {
            return (null, error.Message);
        }
    }

    /// <summary>Changes when a file is added, removed or written.</summary>
    private static int Stamp(string path)
    {
        var stamp = new HashCode();
        IEnumerable<FileInfo> files = File.Exists(path)
            ? [new FileInfo(path)]
            : new DirectoryInfo(path).EnumerateFiles("*", _everyFile);
        foreach (var file in files.OrderBy(file => file.FullName, StringComparer.Ordinal))
        {
            stamp.Add(file.FullName);
            stamp.Add(file.LastWriteTimeUtc);
            stamp.Add(file.Length);
        }

        return stamp.ToHashCode();
    }
}
