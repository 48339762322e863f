using Dti.Engine;
using Dti.Engine.Runtime.Files;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Security;

/// <summary>
/// Something that is made of files, and made again when they change. They are looked at when it is asked for, at most
/// every few seconds, by their content: links and folders that are swapped under them, as certbot and containers do,
/// are seen too.
/// </summary>
/// <param name="files">The files.</param>
/// <param name="load">Makes it; throws <see cref="DtiException"/> if they do not do.</param>
/// <param name="time">The time.</param>
/// <param name="logger">Told of each change, and of files that do not do: then what was made before stays.</param>
internal sealed class ReloadedFiles<T>(IReadOnlyList<string> files, Func<T> load, TimeProvider time, ILogger logger)
{
    private const long MaxBytes = 4 << 20;
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(2);
    private readonly Lock _lock = new();
    private byte[][] _contents = Read(files);
    private T _value = load();
    private long _lastCheck = time.GetTimestamp();

    /// <summary>The newest that could be made.</summary>
    public T Value
    {
        get
        {
            lock (_lock)
            {
                if (time.GetElapsedTime(_lastCheck) >= _pause)
                {
                    _lastCheck = time.GetTimestamp();
                    Reload();
                }

                return _value;
            }
        }
    }

    private static byte[][] Read(IReadOnlyList<string> files) =>
        [.. files.Select(file => RegularFile.ReadAllBytes(file, MaxBytes))];

    private void Reload()
    {
        try
        {
            var contents = Read(files);
            if (contents.Zip(_contents).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)))
            {
                return;
            }

            _contents = contents; // also if they do not do: reported once
            _value = load();
            logger.FilesReloaded(string.Join(", ", files));
        }
        catch (Exception error) when (error is DtiException or IOException or UnauthorizedAccessException)
        {
            logger.FilesNotReloaded(string.Join(", ", files), error.Message);
        }
    }
}
