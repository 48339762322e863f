using System.Diagnostics;

namespace Dti.Bench.Load;

/// <summary>
/// A small disk of its own (tmpfs, which needs root) that can be filled up from outside; where none can be mounted, a
/// folder that is never full.
/// </summary>
internal sealed class SmallDisk : IDisposable
{
    // what a full disk broke may be told a little later
    private static readonly TimeSpan _echo = TimeSpan.FromSeconds(3);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("dti-disk-");
    private readonly Stretches _full = new();

    public SmallDisk(int mebibytes)
    {
        using var mount = Process.Start(
            new ProcessStartInfo("mount", ["-t", "tmpfs", "-o", $"size={mebibytes}m", "tmpfs", _root.FullName])
            {
                RedirectStandardError = true,
            }
        )!;
        mount.WaitForExit();
        IsMounted = mount.ExitCode == 0;
    }

    /// <summary>Whether it is a disk.</summary>
    public bool IsMounted { get; }

    /// <summary>A folder on it.</summary>
    public string Data => Path.Combine(_root.FullName, "data");

    /// <summary>How often it was filled.</summary>
    public int Times => _full.Found.Times;

    private string Filler => Path.Combine(_root.FullName, "filler");

    /// <summary>Whether it was full at any time from one to another, or in the three seconds before.</summary>
    public bool WasFull(DateTimeOffset from, DateTimeOffset to) => _full.Any(from - _echo, to);

    /// <summary>Fills it but for some bytes, again and again as others free some, then frees it.</summary>
    public async Task FillAsync(long leave, TimeSpan hold)
    {
        _full.Begin();
        var start = Stopwatch.GetTimestamp();
        var piece = new byte[64 << 10];
        using (var file = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            while (Stopwatch.GetElapsedTime(start) < hold)
            {
                while (new DriveInfo(_root.FullName).AvailableFreeSpace is var free && free > leave)
                {
                    try
                    {
                        file.Write(piece.AsSpan(0, (int)Math.Min(piece.Length, free - leave)));
                    }
                    catch (IOException)
                    {
                        break; // somebody else took the last of it
                    }
                }

                await Task.Delay(50).ConfigureAwait(false);
            }
        }

        File.Delete(Filler);
        _full.End();
    }

    public void Dispose()
    {
        if (IsMounted)
        {
            ChildProcess.Output("umount", "--lazy", _root.FullName);
        }

        _root.Delete(recursive: true);
    }
}
