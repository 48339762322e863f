using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Dti.Engine.Runtime.Kernels;

namespace Dti.Engine.Tests.Runtime;

[Collection(nameof(WholeProcess))] // others would bring the pages in
public class MaskedConstantsTests
{
    private const int DontNeed = 4; // MADV_DONTNEED
    private const ulong Present = 1UL << 63; // Documentation/admin-guide/mm/pagemap.rst

    /// <summary>
    /// The same functions of ordinary numbers leave pages out, to which their code points nevertheless.
    /// </summary>
    [Fact]
    public void Load_PagesTakenByTheSystem_BringsInWhatOrdinaryNumbersDoNot()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Avx512F.IsSupported, "no masked loads, or no way to see pages");
        float[] ordinary = [-1, -0.5f, 0.5f, 1];
        MaskedConstants.Compute(ordinary); // compiled, and libtorch is there
        var (start, length) = LibtorchCode();
        Assert.Equal(0, Advise(start, (nuint)length, DontNeed));

        MaskedConstants.Compute(ordinary);
        Assert.SkipWhen(InLargePages(start), "the system maps libtorch in pages of 2 MiB: those hold its constants");
        var before = PagesPresent(start, length);
        MaskedConstants.Load();

        Assert.True(PagesPresent(start, length) > before);
    }

    private static (nint Start, long Length) LibtorchCode()
    {
        var line = File.ReadLines("/proc/self/maps")
            .First(line =>
                line.EndsWith("/libtorch_cpu.so", StringComparison.Ordinal)
                && line.Contains(" r-xp ", StringComparison.Ordinal)
            );
        var range = Array.ConvertAll(line.Split(' ')[0].Split('-'), address =>
            long.Parse(address, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        );
        return ((nint)range[0], range[1] - range[0]);
    }

    private static bool InLargePages(nint start)
    {
        var mapped = File.ReadLines("/proc/self/smaps")
            .SkipWhile(line => !line.StartsWith($"{start:x}-", StringComparison.Ordinal))
            .FirstOrDefault(line => line.StartsWith("FilePmdMapped:", StringComparison.Ordinal));
        return mapped is not null && mapped.Any(digit => digit is >= '1' and <= '9');
    }

    private static int PagesPresent(nint start, long length)
    {
        using var file = File.OpenRead("/proc/self/pagemap");
        file.Position = start / Environment.SystemPageSize * sizeof(ulong);
        var entries = new byte[length / Environment.SystemPageSize * sizeof(ulong)];
        file.ReadExactly(entries);
        return MemoryMarshal.Cast<byte, ulong>(entries).ToArray().Count(entry => (entry & Present) != 0);
    }

    [DllImport("libc", EntryPoint = "madvise")]
    private static extern int Advise(nint start, nuint length, int advice);
}
