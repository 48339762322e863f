using System.Globalization;
using System.Runtime.InteropServices;
using Dti.Server.Hosting;
using Dti.Server.Tests.Infrastructure;
using Microsoft.Extensions.Time.Testing;

namespace Dti.Server.Tests;

[Collection(nameof(WholeProcess))] // it looks at the memory of the process
public class FreedMemoryTests
{
    private const int Count = 2048;
    private const int Size = 64 << 10; // below what the C library asks of the system by itself

    [Fact]
    public async Task Run_MemoryFreedBelowMemoryInUse_IsGivenBackToTheSystem()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out _), "not glibc");
        var time = new FakeTimeProvider();
        using var freed = new FreedMemory(time);
        await freed.StartAsync(TestContext.Current.CancellationToken);
        var last = Hole(out var filled);
        try
        {
            Assert.True(Resident() > filled - (32L << 20), "the C library gave it back by itself");
            var end = DateTime.UtcNow.AddSeconds(20);
            while (Resident() > filled - (64L << 20) && DateTime.UtcNow < end)
            {
                time.Advance(FreedMemory.Every);
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }

            Assert.InRange(Resident(), 0, filled - (64L << 20));
        }
        finally
        {
            Marshal.FreeHGlobal(last);
            await freed.StopAsync(CancellationToken.None);
        }
    }

    /// <summary>128 MiB of which all but the last piece is freed.</summary>
    private static nint Hole(out long filled)
    {
        var pieces = new nint[Count];
        for (var i = 0; i < Count; i++)
        {
            pieces[i] = Marshal.AllocHGlobal(Size);
            for (var page = 0; page < Size; page += Environment.SystemPageSize)
            {
                Marshal.WriteByte(pieces[i], page, 1);
            }
        }

        filled = Resident();
        foreach (var piece in pieces.AsSpan(0, Count - 1))
        {
            Marshal.FreeHGlobal(piece);
        }

        return pieces[^1];
    }

    private static long Resident() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture)
        * Environment.SystemPageSize;
}
