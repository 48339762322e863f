using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>
/// Constants that libtorch's AVX-512 code loads by mask, as the exponential does for what overflows. With no number to
/// load, such a load reads nothing, and so never brings in the page that it points at; a processor that finds no page
/// there takes hundreds of cycles to see that it needs none, at each of them. A softmax took six times as long, in some
/// processes and not in others, as chance had put the page beside one that is read.
/// </summary>
internal static class MaskedConstants
{
    private static readonly float[] _extremes =
    [
        float.NegativeInfinity,
        -1e4f,
        -1e-38f,
        0,
        1e-38f,
        1e4f,
        float.PositiveInfinity,
        float.NaN,
    ];
    private static readonly Func<Tensor, Tensor>[] _functions =
    [
        x => x.exp(),
        x => x.erf(),
        x => x.tanh(),
        x => x.sigmoid(),
        x => x.log(),
        x => x.sin(),
        x => x.cos(),
    ];

    /// <summary>
    /// Has the functions that models are made of meet numbers that need them. Takes less than a millisecond, and may be
    /// done often: where memory is short the system takes the pages again.
    /// </summary>
    public static void Load()
    {
        if (Avx512F.IsSupported)
        {
            Compute(_extremes);
        }
    }

    /// <summary>All of the functions, of some numbers.</summary>
    internal static void Compute(float[] numbers)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var x = tensor(numbers).repeat_interleave(64); // whole vectors of each
        foreach (var dtype in new[] { ScalarType.Float32, ScalarType.BFloat16 }) // in fp32 some are MKL's
        {
            var cast = x.to(dtype);
            Array.ForEach(_functions, function => function(cast));
        }
    }
}
