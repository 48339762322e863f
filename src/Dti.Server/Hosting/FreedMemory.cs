using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace Dti.Server.Hosting;

/// <summary>
/// Gives freed memory back to the system. glibc keeps what is freed, in a heap for each of a dozen threads, and tensors
/// that one thread makes and another frees leave holes in them: the memory of a server that trained and generated
/// images for hours kept growing. Where the C library is another one there is nothing to do.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class FreedMemory(TimeProvider time) : IHostedService, IDisposable
{
    /// <summary>How often; a call takes milliseconds.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(30);

    private const string Library = "libc.so.6"; // glibc's name; musl's is another
    private static readonly bool _isAvailable =
        OperatingSystem.IsLinux()
        && NativeLibrary.TryLoad(Library, out var handle)
        && NativeLibrary.TryGetExport(handle, "malloc_trim", out _);
    private ITimer? _timer;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = _isAvailable ? time.CreateTimer(unused => _ = Trim(0), null, Every, Every) : null;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    [DllImport(Library, EntryPoint = "malloc_trim")]
    private static extern int Trim(nuint keep);
}
