using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Dti.Engine.Runtime;

/// <summary>What this machine's processor is good at, where libtorch does not look.</summary>
internal static class Processor
{
    private const string Amd = "AuthenticAMD";
    private const int Zen4 = 25; // family 19h

    /// <summary>Whether 512 bits are computed at once. AMD's processors before Zen 5 take AVX-512's in two halves.</summary>
    public static bool HasWholeAvx512 { get; } = Avx512F.IsSupported && !(Vendor() == Amd && Family(X86Base.CpuId(1, 0).Eax) <= Zen4);

    /// <summary>Its vectors, for people: <c>AVX2</c>, <c>AVX-512 with bf16</c>, <c>AVX-512 in halves with bf16</c>, …</summary>
    public static string Vectors { get; } =
        (HasWholeAvx512 ? "AVX-512" : Avx512F.IsSupported ? "AVX-512 in halves" : Avx2.IsSupported ? "AVX2" : $"{RuntimeInformation.ProcessArchitecture}")
        + (OneDnn.Supports(ScalarType.BFloat16) ? " with bf16" : "");

    /// <param name="signature">What the processor says of itself: leaf 1, EAX.</param>
    internal static int Family(int signature)
    {
        var family = (signature >> 8) & 0xf;
        return family == 0xf ? family + ((signature >> 20) & 0xff) : family;
    }

    private static string Vendor()
    {
        var (_, ebx, ecx, edx) = X86Base.CpuId(0, 0);
        return string.Concat(new[] { ebx, edx, ecx }.Select(part => System.Text.Encoding.ASCII.GetString(BitConverter.GetBytes(part))));
    }
}
