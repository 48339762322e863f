namespace Dti.Engine.Checkpoints;

/// <summary>
/// The float8 formats that large checkpoints are stored in (arXiv 2209.05433). Every one of their values is a half as
/// well, which is what they are widened to when read.
/// </summary>
public enum Float8
{
    /// <summary>4 bits of exponent (bias 7), 3 of mantissa, no infinities, NaN at both ends: F8_E4M3.</summary>
    E4M3,

    /// <summary>5 bits of exponent, 2 of mantissa: the upper byte of a half: F8_E5M2.</summary>
    E5M2,
}

internal static class Float8Extensions
{
    private static readonly Half[] _e4m3 = [.. Enumerable.Range(0, 256).Select(bits => FromE4M3((byte)bits))];
    private static readonly Half[] _e5m2 =
    [
        .. Enumerable.Range(0, 256).Select(bits => BitConverter.UInt16BitsToHalf((ushort)(bits << 8))),
    ];

    /// <summary>Widens values.</summary>
    /// <param name="format">Of the bytes.</param>
    /// <param name="bytes">As stored.</param>
    /// <param name="values">As many, written.</param>
    public static void Widen(this Float8 format, ReadOnlySpan<byte> bytes, Span<Half> values)
    {
        var table = format == Float8.E4M3 ? _e4m3 : _e5m2;
        for (var i = 0; i < bytes.Length; i++)
        {
            values[i] = table[bytes[i]];
        }
    }

    private static Half FromE4M3(byte bits)
    {
        var sign = (bits & 0x80) != 0 ? -1.0 : 1.0;
        var (exponent, mantissa) = ((bits >> 3) & 0xF, bits & 0x7);
        return (Half)(
            sign
            * (
                (exponent, mantissa) switch
                {
                    (0xF, 0x7) => double.NaN,
                    (0, _) => mantissa * Math.Pow(2, -9),
                    _ => (1 + (mantissa / 8.0)) * Math.Pow(2, exponent - 7),
                }
            )
        );
    }
}
