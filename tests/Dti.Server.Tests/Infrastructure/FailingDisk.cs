using System.Collections.Concurrent;
using Dti.Engine.Runtime;
using Dti.Server.Jobs.Storage;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>
/// Files below a folder as on a disk that is full: the n-th thing done to one fails, be it to open it, to write to it (half arrives), to flush or to
/// rename it. From then on nothing more can be written, until there is room again; names can be changed on a full disk.
/// </summary>
internal sealed class FailingDisk : IDisposable
{
    private static readonly ConcurrentDictionary<string, FailingDisk> _disks = new(StringComparer.Ordinal);
    private readonly string _folder;
    private readonly Func<string, bool> _files;
    private int _left;
    private volatile bool _full;

    static FailingDisk() => (AtomicFiles.Open, AtomicFiles.Rename, EventFiles.Open) = (Open, Rename, Open);

    /// <param name="folder">The folder.</param>
    /// <param name="after">How many things succeed before one fails.</param>
    /// <param name="files">Which files; null: all.</param>
    public FailingDisk(string folder, int after = int.MaxValue, Func<string, bool>? files = null)
    {
        (_folder, _left, _files) = (folder + Path.DirectorySeparatorChar, after, files ?? (_ => true));
        Assert.True(_disks.TryAdd(_folder, this));
    }

    /// <summary>Things that failed.</summary>
    public int Failures { get; private set; }

    /// <summary>From now on there is no room.</summary>
    public void Fill() => _full = true;

    /// <summary>From now on there is room.</summary>
    public void Free() => (_full, _left) = (false, int.MaxValue);

    public void Dispose() => _disks.TryRemove(_folder, out _);

    private static FileStream Open(string path, FileStreamOptions options) => Of(path) is not { } disk ? new FileStream(path, options)
        : disk.Fails(whenFull: true) ? throw Full()
        : new Stream(disk, path, options);

    private static void Rename(string draft, string path)
    {
        if (Of(path)?.Fails(whenFull: false) == true)
        {
            throw Full();
        }

        File.Move(draft, path, overwrite: true);
    }

    private static FailingDisk? Of(string path) =>
        _disks.FirstOrDefault(disk => path.StartsWith(disk.Key, StringComparison.Ordinal) && disk.Value._files(path)).Value;

    private static IOException Full() => new("No space left on device", 28); // ENOSPC

    private bool Fails(bool whenFull)
    {
        var now = _left != int.MaxValue && Interlocked.Decrement(ref _left) == -1;
        _full |= now;
        var fails = now || (whenFull && _full);
        Failures += fails ? 1 : 0;
        return fails;
    }

    private sealed class Stream(FailingDisk disk, string path, FileStreamOptions options) : FileStream(path, options)
    {
        public override void Write(byte[] buffer, int offset, int count) // the other ways to write come here
        {
            var fails = disk.Fails(whenFull: true);
            base.Write(buffer, offset, fails ? count / 2 : count);
            if (fails)
            {
                throw Full();
            }
        }

        public override void Flush(bool flushToDisk)
        {
            if (disk.Fails(whenFull: true))
            {
                throw Full();
            }

            base.Flush(flushToDisk);
        }
    }
}
