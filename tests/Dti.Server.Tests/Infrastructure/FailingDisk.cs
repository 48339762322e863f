using System.Collections.Concurrent;
using Dti.Engine.Runtime.Files;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>
/// Files below a folder as on a disk that is full: the n-th thing done to one fails, be it to open it, to write to it
/// (half arrives), to flush or to rename it. From then on nothing more can be written, until there is room again; names
/// can be changed on a full disk, and files be deleted. Or as a process leaves them that is killed at the n-th of these
/// things: from then on nothing at all is done to them.
/// </summary>
internal sealed class FailingDisk : IDisposable
{
    private static readonly ConcurrentDictionary<string, FailingDisk> _disks = new(StringComparer.Ordinal);
    private readonly string _folder;
    private readonly Func<string, bool> _files;
    private int _left;
    private readonly bool _kills;
    private volatile bool _full;

    /// <param name="folder">The folder.</param>
    /// <param name="after">How many things succeed before one fails.</param>
    /// <param name="files">Which files; null: all.</param>
    /// <param name="kills">The process is killed instead.</param>
    public FailingDisk(string folder, int after = int.MaxValue, Func<string, bool>? files = null, bool kills = false)
    {
        (_folder, _left, _files, _kills) = (folder + Path.DirectorySeparatorChar, after, files ?? (_ => true), kills);
        Assert.True(_disks.TryAdd(_folder, this));
    }

    /// <summary>Files that are on the failing disk of their folder while there is one, else on the system's.</summary>
    public static IFileStore Files { get; } = new FileStore();

    /// <summary>Things that failed.</summary>
    public int Failures { get; private set; }

    /// <summary>From now on there is no room.</summary>
    public void Fill() => _full = true;

    /// <summary>From now on there is room, or another process.</summary>
    public void Free() => (_full, _left) = (false, int.MaxValue);

    public void Dispose() => _disks.TryRemove(_folder, out _);

    private static FileStream Open(string path, FileStreamOptions options)
    {
        if (Of(path) is not { } disk)
        {
            return PhysicalFileStore.Instance.Open(path, options);
        }

        disk.FailIf(disk.Fails(whenFull: true));
        return new Stream(disk, path, options);
    }

    private static void Move(string from, string to)
    {
        Of(from)?.FailIf(Of(from)!.Fails(whenFull: false));
        PhysicalFileStore.Instance.Move(from, to);
    }

    private static void Delete(string path)
    {
        if (Of(path) is { _kills: true } disk)
        {
            var killed = disk.Fails(whenFull: true);
            if (killed && disk.Failures == 1 && Directory.Exists(path))
            {
                Directory.EnumerateFiles(path).Take(1).ToList().ForEach(File.Delete); // it had begun
            }

            disk.FailIf(killed);
        }

        PhysicalFileStore.Instance.Delete(path);
    }

    private static FailingDisk? Of(string path) =>
        _disks
            .FirstOrDefault(disk => path.StartsWith(disk.Key, StringComparison.Ordinal) && disk.Value._files(path))
            .Value;

    private void FailIf(bool fails)
    {
        if (fails)
        {
            throw _kills ? new KilledException() : new IOException("No space left on device", 28); // ENOSPC
        }
    }

    private bool Fails(bool whenFull)
    {
        var now = _left != int.MaxValue && Interlocked.Decrement(ref _left) == -1;
        _full |= now;
        var fails = now || ((whenFull || _kills) && _full);
        Failures += fails ? 1 : 0;
        return fails;
    }

    private sealed class FileStore : IFileStore
    {
        public FileStream Open(string path, FileStreamOptions options) => FailingDisk.Open(path, options);

        public void Move(string from, string to) => FailingDisk.Move(from, to);

        public void Delete(string path) => FailingDisk.Delete(path);
    }

    private sealed class Stream(FailingDisk disk, string path, FileStreamOptions options) : FileStream(path, options)
    {
        public override void Write(byte[] buffer, int offset, int count) // the other ways to write come here
        {
            var fails = disk.Fails(whenFull: true);
            base.Write(buffer, offset, fails ? count / 2 : count);
            disk.FailIf(fails);
        }

        public override void Flush(bool flushToDisk)
        {
            disk.FailIf(disk.Fails(whenFull: true));
            base.Flush(flushToDisk);
        }
    }
}

/// <summary>The process is no more: nobody catches this.</summary>
internal sealed class KilledException : Exception;
