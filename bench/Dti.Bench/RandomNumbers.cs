using System.Runtime.InteropServices;

namespace Dti.Bench;

/// <summary>Random weights of 16 bits.</summary>
/// <param name="dtype"><c>F16</c> or <c>BF16</c>.</param>
internal sealed class RandomNumbers(string dtype)
{
    private readonly byte[] _noise = Sixteen(dtype, Noise());
    private readonly byte[] _ones = Sixteen(dtype, Enumerable.Repeat(1.0, 1 << 16));

    /// <summary><c>F16</c> or <c>BF16</c>.</summary>
    public string Dtype => dtype;

    /// <summary>
    /// Norms scale by 1; all else is normal with deviation 0.02, so that activations keep a size that F16 holds.
    /// </summary>
    /// <param name="stream">Where to.</param>
    /// <param name="shape">Of the tensor.</param>
    /// <param name="isNorm">Whether it is the weight of a norm.</param>
    public void Fill(Stream stream, IReadOnlyList<long> shape, bool isNorm)
    {
        var source = isNorm ? _ones : _noise;
        var left = shape.Aggregate(2L, (product, side) => product * side);
        for (var start = (int)(left * 7919 % source.Length) & ~1; left > 0; start = 0)
        {
            var piece = (int)Math.Min(left, source.Length - start);
            stream.Write(source, start, piece);
            left -= piece;
        }
    }

    private static IEnumerable<double> Noise()
    {
        var random = new Random(1);
        return Enumerable
            .Range(0, 1 << 22)
            .Select(_ =>
                0.02 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())
            );
    }

    private static byte[] Sixteen(string dtype, IEnumerable<double> values) =>
        dtype == "F16"
            ? MemoryMarshal.AsBytes([.. values.Select(value => (Half)value)]).ToArray()
            : MemoryMarshal
                .AsBytes([.. values.Select(value => (ushort)(BitConverter.SingleToUInt32Bits((float)value) >> 16))])
                .ToArray();
}
