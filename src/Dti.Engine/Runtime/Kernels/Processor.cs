using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>What this machine's processor is good at, where libtorch does not look.</summary>
internal static class Processor
{
    private const string Amd = "AuthenticAMD";
    private const int Zen4 = 25; // family 19h

    /// <summary>
    /// Whether 512 bits are computed at once. AMD's processors before Zen 5 take AVX-512's in two halves.
    /// </summary>
    public static bool HasWholeAvx512 { get; } =
        Avx512F.IsSupported && !(Vendor() == Amd && Family(X86Base.CpuId(1, 0).Eax) <= Zen4);

    /// <param name="signature">What the processor says of itself: leaf 1, EAX.</param>
    internal static int Family(int signature)
    {
        var family = (signature >> 8) & 0xf;
        return family == 0xf ? family + ((signature >> 20) & 0xff) : family;
    }

    private static string Vendor()
    {
        var (_, ebx, ecx, edx) = X86Base.CpuId(0, 0);
        return string.Concat(
            new[] { ebx, edx, ecx }.Select(part => Encoding.ASCII.GetString(BitConverter.GetBytes(part)))
        );
    }
}
