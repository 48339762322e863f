using static TorchSharp.torch;

namespace Dti.Mini.Training;

/// <summary>The dtype of forward and backward passes; weights and moments are fp32 everywhere.</summary>
internal static class Precision
{
    /// <summary>
    /// bf16 where the processor multiplies it (AVX512-BF16 or AMX), else fp32; <c>DTI_MINI_DTYPE</c> overrides it.
    /// </summary>
    public static ScalarType Compute { get; } =
        Environment.GetEnvironmentVariable("DTI_MINI_DTYPE") switch
        {
            "bf16" => ScalarType.BFloat16,
            "fp32" => ScalarType.Float32,
            _ => MultipliesBf16() ? ScalarType.BFloat16 : ScalarType.Float32,
        };

    private static bool MultipliesBf16()
    {
        const string cpuinfo = "/proc/cpuinfo";
        return File.Exists(cpuinfo)
            && File.ReadLines(cpuinfo).FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal))
                is { } flags
            && (
                flags.Contains("avx512_bf16", StringComparison.Ordinal)
                || flags.Contains("amx_bf16", StringComparison.Ordinal)
            );
    }
}
