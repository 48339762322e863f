using System.Buffers.Binary;
using System.Text;
using Dti.Engine.Runtime;

namespace Dti.Tests;

/// <summary>
/// An endless, repeatable stream of broken safetensors files: small valid ones with a few changes, most of them to the
/// header's text.
/// </summary>
internal sealed class SafetensorsMutator(ulong seed)
{
    private const string DtypeKey = "\"dtype\":\"";

    private static readonly string[] _headers =
    [
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
        """{"__metadata__":{"format":"pt","k":"v"},"a":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[],"data_offsets":[8,10]}}   """,
        """{"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"F8_E5M2","shape":[1,5],"data_offsets":[3,8]},"c":{"dtype":"BOOL","shape":[2],"data_offsets":[8,10]}}""",
        """{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"none":{"dtype":"F64","shape":[0,5],"data_offsets":[8,8]},"deep":{"dtype":"U8","shape":[1,1,1,1,1,1,1,2],"data_offsets":[8,10]}}""",
        "{}",
    ];

    private static readonly byte[][] _numbers = Bytes(
        "0",
        "-1",
        "-0",
        "1",
        "2",
        "4",
        "8",
        "10",
        "00",
        "1e1",
        "0.5",
        "1e400",
        "2147483648",
        "4294967296",
        "9007199254740993",
        "4611686018427387904",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999999999"
    );

    private static readonly byte[][] _dtypes = Bytes(
        "F64",
        "F32",
        "F16",
        "BF16",
        "F8_E4M3",
        "F8_E5M2",
        "I64",
        "I8",
        "U8",
        "BOOL",
        "F33",
        ""
    );

    private static readonly byte[][] _tokens =
    [
        .. Bytes(
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\\u0000",
            "\\ud800",
            "\\u00",
            "//",
            "/**/",
            " ",
            "\n",
            "null",
            "true",
            "\"\"",
            "\"a\":",
            "{}",
            "[]",
            "[[[[[[[[[[",
            "{\"\":{\"\":{\"\":{\"\":",
            "\"dtype\":\"F64\"",
            "\"dtype\":\"F33\"",
            "\"shape\":[]",
            "\"shape\":[0,9223372036854775807]",
            "\"data_offsets\":[0,0]",
            "\"__metadata__\":{\"a\":\"b\"},",
            "\"c\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
        ),
        .. _numbers,
        [0],
        [0xFF],
        [0xC0, 0x80],
        [0xED, 0xA0, 0x80],
        [0xF4, 0x90, 0x80, 0x80],
        [0xEF, 0xBB, 0xBF],
    ];

    private static readonly ulong[] _lengths =
    [
        0,
        1,
        2,
        7,
        8,
        99_999_999,
        100_000_000,
        100_000_001,
        int.MaxValue,
        uint.MaxValue,
        long.MaxValue,
        ulong.MaxValue,
    ];

    private readonly Pcg32 _random = new(seed);

    /// <summary>The valid files that changes are made to.</summary>
    public static IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. _headers.Select(header =>
            Join(Encoding.UTF8.GetBytes(header), header.Contains('8', StringComparison.Ordinal) ? Data(header) : [])
        ),
    ];

    /// <summary>The next file; at most a few thousand bytes.</summary>
    public byte[] Next()
    {
        var seed = Pick(Seeds);
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(seed);
        List<byte> header = [.. seed.AsSpan(8, length)];
        var data = seed[(8 + length)..];
        for (var changes = 1 + _random.NextInt(4); changes > 0; changes--)
        {
            Change(header);
        }

        data = _random.NextInt(8) == 0 ? data[.._random.NextInt(data.Length + 1)] : data;
        var file = Join([.. header], data);
        switch (_random.NextInt(16))
        {
            case 0:
                BinaryPrimitives.WriteUInt64LittleEndian(file, Pick(_lengths));
                break;
            case 1:
                BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)_random.NextInt(file.Length + 2));
                break;
            case 2:
                file = file[.._random.NextInt(file.Length + 1)];
                break;
        }

        return file;
    }

    private void Change(List<byte> header)
    {
        var at = _random.NextInt(header.Count + 1);
        var run = Math.Min(header.Count - at, 1 + _random.NextInt(12));
        switch (_random.NextInt(10))
        {
            case 0 when at < header.Count:
                header[at] ^= (byte)(1 << _random.NextInt(8));
                break;
            case 1:
                header.InsertRange(at, Pick(_tokens));
                break;
            case 2:
                header.RemoveRange(at, run);
                break;
            case 3:
                header.InsertRange(_random.NextInt(header.Count + 1), header.GetRange(at, run));
                break;
            case 4 or 5 or 6 when NumberAt(header, at) is { Count: > 0 } number:
                header.RemoveRange(number.Start, number.Count);
                header.InsertRange(number.Start, Pick(_numbers));
                break;
            case 7 or 8 when DtypeAt(header, at) is { Count: > 0 } dtype:
                header.RemoveRange(dtype.Start, dtype.Count);
                header.InsertRange(dtype.Start, Pick(_dtypes));
                break;
            case 4 or 5 or 6 or 7 or 8:
                break; // there is none from here on
            default:
                header.InsertRange(
                    at,
                    Enumerable.Repeat(Pick(_tokens), 1 + _random.NextInt(40)).SelectMany(token => token)
                );
                break;
        }
    }

    /// <summary>The first number from a place on.</summary>
    private static (int Start, int Count) NumberAt(List<byte> header, int from)
    {
        var start = header.FindIndex(from, letter => char.IsAsciiDigit((char)letter));
        var end = start < 0 ? -1 : header.FindIndex(start, letter => !char.IsAsciiDigit((char)letter));
        return (start, end - start);
    }

    /// <summary>The first dtype from a place on, without its quotes.</summary>
    private static (int Start, int Count) DtypeAt(List<byte> header, int from)
    {
        var text = Encoding.Latin1.GetString([.. header]);
        var key = text.IndexOf(DtypeKey, from, StringComparison.Ordinal);
        var start = key < 0 ? -1 : key + DtypeKey.Length;
        return (start, start < 0 ? 0 : text.IndexOf('"', start) - start);
    }

    private T Pick<T>(IReadOnlyList<T> choices) => choices[_random.NextInt(choices.Count)];

    private static byte[][] Bytes(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    private static byte[] Data(string header) => new byte[header.Contains("10]", StringComparison.Ordinal) ? 10 : 8];

    private static byte[] Join(byte[] header, byte[] data)
    {
        var file = new byte[8 + header.Length + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)header.Length);
        header.CopyTo(file, 8);
        data.CopyTo(file, 8 + header.Length);
        return file;
    }
}
